import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A process of its own that answers one order at a time. */
export interface Child<Order extends object, Answer> {
  /** Rejects when the order fails, or when the process ends before it has answered. */
  ask(order: Order): Promise<Answer>;
  /** Kills the process: what it waits for may never come. */
  stop(): Promise<void>;
}

export type Reply<Answer> = { readonly answer: Answer } | { readonly fault: string };

/** Starts a file of `processes/` with the flags that this process was started with, and more. */
export function startChild<Order extends object, Answer>(
  file: string,
  flags: readonly string[] = [],
): Child<Order, Answer> {
  const child = fork(new URL(`./processes/${file}.ts`, import.meta.url), {
    execArgv: [...process.execArgv, ...flags],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const exited = once(child, 'exit');
  let complaint = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-2_000);
  });
  return {
    ask: (order) =>
      new Promise((resolve, reject) => {
        const onEnd = (): void => reject(new Error(`its process ended: ${reasonIn(complaint)}`));
        child.once('exit', onEnd);
        child.once('message', (reply: Reply<Answer>) => {
          child.off('exit', onEnd);
          if ('fault' in reply) reject(new Error(reply.fault));
          else resolve(reply.answer);
        });
        child.send(order, (error) => {
          if (error !== null) onEnd();
        });
      }),
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function reasonIn(complaint: string): string {
  const lines = complaint.split('\n').map((line) => line.trim());
  return lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== '') ?? 'without a word';
}
