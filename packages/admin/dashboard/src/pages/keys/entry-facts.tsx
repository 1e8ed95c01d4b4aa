import type { InspectedEntry } from '@tierkit/cache';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import * as format from '../../format.ts';
import { Facts } from '../../parts/facts.tsx';

const TICK_MS = 1_000;

export interface EntryFactsProps {
  readonly entry: InspectedEntry;
  /** When it was asked for, by this browser's clock. */
  readonly at: number;
}

export function EntryFacts({ entry, at }: EntryFactsProps): JSX.Element {
  const now = useNow();
  const passed = Math.max(0, now - at);
  const left = (ms: number): string => (ms - passed <= 0 ? 'over' : format.span(ms - passed));
  const kept = [entry.compressed ? 'compressed' : '', entry.encrypted ? 'encrypted' : ''].filter(Boolean).join(', ');
  const facts: readonly (readonly [string, string])[] = [
    ['tier', entry.scope === undefined ? entry.tier : `${entry.tier} ${entry.scope}`],
    ['state', entry.state === 'absent' ? 'known to be absent' : entry.state],
    ['fresh for', left(entry.ttlMs)],
    ...(entry.endsInMs > entry.ttlMs ? ([['ends in', left(entry.endsInMs)]] as const) : []),
    ['size', `${format.bytes(entry.bytes)}${kept === '' ? '' : `, ${kept}`}`],
    ['in this process', entry.inProcess ? 'yes' : 'no'],
    ['tags', entry.tags.length === 0 ? 'none' : entry.tags.join(', ')],
  ];
  return <Facts facts={facts} />;
}

function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
