import { longestCall, storeBeforehand, type CallsOptions, type CallsReport } from '../longest-call.ts';
import type { OpenLoadingSubject } from '../loading-subject.ts';
import { loadingSubject } from '../subjects/loading-subjects.ts';
import { answerOrders } from './orders.ts';

export type OutageOrder = { readonly open: string; readonly port: number } | CallsOptions;

let cache: OpenLoadingSubject | undefined;

/** Opens a cache and stores what is asked for later; then makes the calls. */
answerOrders(async (order: OutageOrder): Promise<CallsReport | undefined> => {
  if ('forMs' in order) return cache === undefined ? undefined : longestCall(cache, order);
  cache = await loadingSubject(order.open).open(order.port);
  await storeBeforehand(cache);
  return undefined;
});
