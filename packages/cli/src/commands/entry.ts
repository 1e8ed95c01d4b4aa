import { jsonValue } from '@tierkit/admin/json-value';
import type { EntryPlace, InspectedEntry } from '@tierkit/cache';
import { cliError } from '../errors.ts';
import { printable, printableJson } from '../output/printable.ts';
import { facts } from '../output/table.ts';
import { bytes, time } from '../output/units.ts';
import { withPlaceOptions, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';

interface PlaceOptions {
  readonly tier?: string;
  readonly scope?: string;
}

/** `get`, which alone shows values, and `ttl`. */
export function entryCommands({ command, action }: Registrar): void {
  withPlaceOptions(command('get <key>', 'what is stored under a key, and its value; this counts as no read')).action(
    action(async (session: Session, key: string, { tier, scope }: PlaceOptions) => {
      const { value, ...entry } = await entryOf(session, { key, tier, scope }, true);
      const withheld = entry.state === 'absent' ? 'absent' : entry.encrypted ? 'encrypted' : undefined;
      const { json, type, truncated } = jsonValue(value);
      const shown = withheld === undefined ? { type, truncated, value: json } : { type: 'unknown', withheld };
      const text =
        withheld === 'absent'
          ? 'a loader found nothing, and this is kept'
          : withheld === 'encrypted'
            ? 'the value is encrypted, and this command has no keys'
            : printableJson(json, 2) + (truncated ? '\n(cut short)' : '');
      session.output.report({ data: { ...entry, ...shown }, text: `${entryText(entry)}\n\n${text}` });
      return undefined;
    }),
  );
  withPlaceOptions(command('ttl <key>', 'how long an entry is fresh, and when it ends')).action(
    action(async (session: Session, key: string, { tier, scope }: PlaceOptions) => {
      const { state, ttlMs, endsInMs } = await entryOf(session, { key, tier, scope }, false);
      session.output.report({
        data: { key, state, ttlMs, endsInMs },
        text: `${state}, ${time(ttlMs)} left, ends in ${time(endsInMs)}`,
      });
      return undefined;
    }),
  );
}

async function entryOf(session: Session, place: EntryPlace, value: boolean): Promise<InspectedEntry> {
  const { inspection } = await session.tiers();
  const entry = await session.untilAborted(inspection.entry(place, { value }));
  if (entry === undefined) throw cliError('ERR_CLI_NOT_FOUND', `nothing exists under ${printable(place.key, 200)}`);
  return entry;
}

function entryText(entry: Omit<InspectedEntry, 'value'>): string {
  const { tier, scope, key, state, ttlMs, endsInMs, tags, compressed, encrypted } = entry;
  const form = [compressed ? 'compressed' : '', encrypted ? 'encrypted' : ''].filter(Boolean).join(', ');
  return facts([
    ['tier', scope === undefined ? tier : `${tier}, scope ${scope}`],
    ['key', key],
    ['state', `${state}, ${time(ttlMs)} left, ends in ${time(endsInMs)}`],
    ['size', bytes(entry.bytes) + (form === '' ? '' : `, ${form}`)],
    ['tags', tags.join(', ')],
  ]);
}
