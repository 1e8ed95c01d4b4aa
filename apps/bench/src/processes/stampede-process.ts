import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenLoadingSubject } from '../loading-subject.ts';
import { loadingSubject } from '../subjects/loading-subjects.ts';
import { answerOrders } from './orders.ts';

export interface StampedeOrder {
  readonly subject: string;
  readonly port: number;
  readonly key: string;
  readonly callers: number;
  readonly loadMs: number;
}

const opened = new Map<string, Promise<OpenLoadingSubject>>();

/** All callers ask for one key at once; answers how many times it was loaded here. */
answerOrders(async ({ subject, port, key, callers, loadMs }: StampedeOrder): Promise<number> => {
  let loads = 0;
  const load = async (): Promise<unknown> => {
    loads++;
    await sleep(loadMs);
    return { of: key };
  };
  const opening = opened.get(subject) ?? loadingSubject(subject).open(port);
  opened.set(subject, opening);
  const cache = await opening;
  const answers = await Promise.all(Array.from({ length: callers }, () => cache.getOrSet(key, load)));
  if (answers.some((answer) => answer === undefined || answer === null)) throw new Error('a caller got nothing');
  return loads;
});
