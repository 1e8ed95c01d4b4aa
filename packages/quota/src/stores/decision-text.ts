import type { Window } from '../periods/windows.ts';
import type { Crossing, HeldRow, ItemState, RowState } from './quota-store.ts';

/** Reads what the script writes: items as `name granted rows`, each row as `period start end used held limit`. */
export function decisionOf(
  result: string,
  crossings: string,
): { readonly items: readonly ItemState[]; readonly crossings: readonly Crossing[] } {
  const words = result === '' ? [] : result.split(' ');
  let at = 0;
  const word = (): string => words[at++] ?? '';
  const number = (): number => Number(word());
  const items: ItemState[] = [];
  while (at < words.length) {
    const metric = word();
    const granted = number();
    const rows: RowState[] = [];
    for (let left = number(); left > 0 && at < words.length; left--) {
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
  return {
    items,
    crossings: Array.from({ length: told.length / 3 }, (_, i) => ({
      metric: told[3 * i] ?? '',
      period: told[3 * i + 1] ?? '',
      threshold: Number(told[3 * i + 2]),
    })),
  };
}

/** Reads what a hold takes: `metric:period:start:end=amount`, with spaces between. */
export function heldRowsOf(text: string): HeldRow[] {
  return text.split(' ').map((take) => {
    const [metric = '', period = '', startMs, endMs, amount] = take.split(/[:=]/);
    return { metric, period, window: windowOf(Number(startMs), Number(endMs)), amount: Number(amount) };
  });
}

function windowOf(startMs: number, endMs: number): Window | undefined {
  return endMs === 0 ? undefined : { startMs, endMs };
}
