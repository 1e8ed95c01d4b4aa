import { corruptError } from '../errors.ts';
import type { Window } from '../periods/windows.ts';
import type { Crossing, HeldRow, ItemState, RowState } from './quota-store.ts';

/**
 * Reads what the script writes: items as `name granted rows`, each row as `period start end used held limit`.
 *
 * @throws {TierkitError} `ERR_QUOTA_CORRUPT`: what is remembered under an id is nothing that it writes
 */
export function decisionOf(
  result: string,
  crossings: string,
): { readonly items: readonly ItemState[]; readonly crossings: readonly Crossing[] } {
  const words = result === '' ? [] : result.split(' ');
  let at = 0;
  const word = (): string => words[at++] ?? '';
  const number = (): number => {
    const text = word();
    const value = Number(text);
    if (text === '' || !Number.isSafeInteger(value)) throw corruptError('under the id');
    return value;
  };
  const items: ItemState[] = [];
  while (at < words.length) {
    const metric = word();
    const granted = number();
    const rows: RowState[] = [];
    for (let left = number(); left > 0; left--) {
      const period = word();
      const window = windowOf(number(), number());
      const used = number();
      const held = number();
      const limit = number();
      rows.push({ period, window, used, held, limit: limit < 0 ? Infinity : limit });
    }
    items.push({ metric, granted, rows });
  }
  const told = crossings === '' ? [] : crossings.split(' ');
  const thresholds = Array.from({ length: told.length / 3 }, (_, i) => {
    const [metric = '', period = '', threshold] = told.slice(3 * i);
    return { metric, period, threshold: Number(threshold) };
  });
  if (!thresholds.every(({ threshold }) => Number.isFinite(threshold))) throw corruptError('under the id');
  return { items, crossings: thresholds };
}

const TAKE = /^[\w.-]+:[\w-]+:-?\d{1,16}:-?\d{1,16}=\d{1,16}$/;

/** Reads what a hold takes: `metric:period:start:end=amount`, with spaces between. @throws {TierkitError} `ERR_QUOTA_CORRUPT` */
export function heldRowsOf(text: string): HeldRow[] {
  return text.split(' ').map((take) => {
    if (!TAKE.test(take) || !Number.isSafeInteger(Number(take.slice(take.indexOf('=') + 1)))) {
      throw corruptError('of the hold');
    }
    const [metric = '', period = '', startMs, endMs, amount] = take.split(/[:=]/);
    return { metric, period, window: windowOf(Number(startMs), Number(endMs)), amount: Number(amount) };
  });
}

function windowOf(startMs: number, endMs: number): Window | undefined {
  return endMs === 0 ? undefined : { startMs, endMs };
}
