import { Instance } from './instance.ts';
import type { InstanceOptions, Operations, ReplyMessage, RequestMessage } from './operations.ts';

let instance: Instance | undefined;
let guarded: number | undefined;

async function answer({ name, request }: RequestMessage): Promise<unknown> {
  if (name === 'start') {
    instance = await Instance.start(request as InstanceOptions);
    return undefined;
  }
  if (name === 'guard') {
    guarded = (request as Operations['guard']['request']).pid;
    return undefined;
  }
  if (instance === undefined) throw new Error(`${name} before start`);
  if (name === 'close') guarded = undefined;
  return instance.handlers[name](request as never);
}

function send(message: ReplyMessage): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

process.on('message', (message: RequestMessage) => {
  answer(message).then(
    (reply) => send({ id: message.id, reply }),
    (error: unknown) => send({ id: message.id, error: describe(error) }),
  );
});

// Ctrl-C reaches the whole process group; the demo decides when its instances end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

process.once('disconnect', () => {
  if (guarded !== undefined) killQuietly(guarded);
  process.exit(0);
});

/** One line with the reason behind, such as a password that Redis refused. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
