import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const handedOut = new Set<number>();

/**
 * A loopback port where nothing listens, nor at the ports that lie `alsoFree` above it. It can be taken between asking
 * and binding, so whoever uses it must be ready to try again.
 */
export async function freePort(...alsoFree: readonly number[]): Promise<number> {
  for (;;) {
    // Below every system's ephemeral ports: no outgoing connection can take the port of a server that is down.
    const port = randomInt(15_000, 22_000);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    const free = await Promise.all([0, ...alsoFree].map((offset) => isFree(port + offset)));
    if (!free.includes(false)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** Whether a Redis at this port answers PING, be it with PONG or by asking for a password. */
export async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    return /^(\+PONG|-NOAUTH)/.test(String(data));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
