import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sleep } from '../support/sleep.ts';
import { startProxy, until, type Proxy } from './index.ts';

/** Answers each piece of data with the same data, and counts the bytes it saw. */
let seen = 0;
const echo = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    seen += data.length;
    socket.write(data);
  });
});
let proxy: Proxy;
let clients: Client[] = [];

beforeEach(async () => {
  seen = 0;
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startProxy({ target: { port: (echo.address() as AddressInfo).port } });
});

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  clients = [];
  await proxy.stop();
  echo.close();
  await once(echo, 'close');
});

class Client {
  readonly socket: Socket = connect(proxy.port, proxy.host);
  readonly pieces: string[] = [];
  end: string | undefined;

  constructor() {
    clients.push(this);
    this.socket.on('data', (data) => this.pieces.push(String(data)));
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.end = error.code ?? 'error';
    });
    this.socket.on('end', () => {
      this.end = 'end';
    });
  }

  get received(): string {
    return this.pieces.join('');
  }

  async ask(text: string): Promise<number> {
    const begin = performance.now();
    const expected = this.received + text;
    this.socket.write(text);
    await until(`an answer to ${text}`, () => this.received === expected, 2_000);
    return performance.now() - begin;
  }
}

it('passes everything on unchanged, the end of a connection included', async () => {
  const client = new Client();
  const text = 'x'.repeat(200_000);
  await client.ask(text);
  expect([proxy.connections, proxy.accepted, seen]).toEqual([1, 1, text.length]);
  client.socket.end();
  await until('the end comes back', () => client.end === 'end');
  await until('the proxy forgets it', () => proxy.connections === 0);
});

it('latency: each way', async () => {
  const client = new Client();
  await client.ask('a');
  proxy.latency(100);
  const ms = await client.ask('b');
  expect(ms).toBeGreaterThanOrEqual(195);
  expect(ms).toBeLessThan(400);
  await proxy.normal();
  expect(await client.ask('c')).toBeLessThan(90);
});

it('drop: nothing arrives and nobody is told; normal resets what lost bytes', async () => {
  const client = new Client();
  const idle = new Client();
  await Promise.all([client.ask('a'), idle.ask('a')]);
  proxy.drop();
  client.socket.write('b');
  const late = new Client();
  late.socket.write('b');
  await sleep(100);
  expect([seen, client.received, client.end, late.received, late.end]).toEqual([2, 'a', undefined, '', undefined]);
  await proxy.normal();
  await until('both are reset', () => client.end === 'ECONNRESET' && late.end === 'ECONNRESET');
  await idle.ask('b');
});

it('drop: one way only, either way', async () => {
  const down = new Client();
  await down.ask('a');
  proxy.drop('down');
  down.socket.write('b');
  await until('the server gets it', () => seen === 2);
  await sleep(50);
  expect(down.received).toBe('a');
  await proxy.normal();
  const up = new Client();
  await up.ask('c');
  proxy.drop('up');
  up.socket.write('d');
  await sleep(50);
  expect([seen, up.received]).toEqual([3, 'c']);
});

it('hold: what was sent arrives afterwards, in order', async () => {
  const client = new Client();
  await client.ask('a');
  proxy.hold();
  client.socket.write('b');
  await sleep(50);
  client.socket.write('c');
  await sleep(50);
  expect(client.received).toBe('a');
  await proxy.normal();
  await until('the rest arrives', () => client.received === 'abc');
});

it('slice: data in pieces', async () => {
  proxy.slice(3);
  const client = new Client();
  await client.ask('0123456789');
  expect(client.pieces.length).toBeGreaterThan(1);
  expect(client.pieces.every((piece) => piece.length <= 6)).toBe(true);
});

it('resetAfter: a reply is cut short, once', async () => {
  const client = new Client();
  await client.ask('a');
  proxy.resetAfter(4);
  client.socket.write('0123456789');
  await until('the reset', () => client.end === 'ECONNRESET');
  expect(client.received).toBe('a0123');
  await new Client().ask('0123456789');
});

it('cut: open connections are reset, new ones work', async () => {
  const client = new Client();
  await client.ask('a');
  proxy.cut();
  await until('the reset', () => client.end === 'ECONNRESET');
  await new Client().ask('b');
});

it('refuse: no new connections, the open ones work', async () => {
  const client = new Client();
  await client.ask('a');
  proxy.refuse();
  const refused = new Client();
  await until('the refusal', () => refused.end === 'ECONNREFUSED');
  await client.ask('b');
  await proxy.normal();
  await new Client().ask('c');
});

it('a server that is down resets the client', async () => {
  const orphan = await startProxy({ target: { port: 1 } });
  const socket = connect(orphan.port, orphan.host);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  await Promise.all([orphan.stop(), orphan.stop()]);
});
