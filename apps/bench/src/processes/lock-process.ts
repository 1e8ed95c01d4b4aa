import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenLock } from '../lock-subject.ts';
import { lockSubject } from '../subjects/lock-subjects.ts';
import { answerOrders } from './orders.ts';

export interface LockOrder {
  readonly subject: string;
  readonly ports: readonly number[];
  readonly lock: string;
  readonly waiters: number;
  /** How long each goes on taking the lock again; 0 takes it once. */
  readonly forMs: number;
  readonly holdMs: number;
}

export interface LockAnswer {
  /** One for each time that the lock was held, in milliseconds of a clock that all processes share. */
  readonly holds: readonly {
    readonly waiter: string;
    readonly askedMs: number;
    readonly fromMs: number;
    readonly untilMs: number;
  }[];
  /** Commands that were sent, by any client of this process. */
  readonly commands: number;
}

let sent = 0;
const { sendCommand } = Redis.prototype;
Redis.prototype.sendCommand = function (...args) {
  sent++;
  return sendCommand.apply(this, args);
};

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
const opened = new Map<string, Promise<OpenLock>>();

answerOrders(async ({ subject, ports, lock, waiters, forMs, holdMs }: LockOrder): Promise<LockAnswer> => {
  const key = `${subject} ${ports.join(' ')}`;
  const opening = opened.get(key) ?? lockSubject(subject).open(ports);
  opened.set(key, opening);
  const locks = await opening;
  const holds: LockAnswer['holds'][number][] = [];
  const before = sent;
  const untilMs = nowMs() + forMs;
  await Promise.all(
    Array.from({ length: waiters }, async (_, i) => {
      do {
        const askedMs = nowMs();
        const release = await locks.take(lock);
        const fromMs = nowMs();
        if (holdMs > 0) await sleep(holdMs);
        holds.push({ waiter: `${process.pid}:${i}`, askedMs, fromMs, untilMs: nowMs() });
        await release();
      } while (nowMs() < untilMs);
    }),
  );
  return { holds, commands: sent - before };
});
