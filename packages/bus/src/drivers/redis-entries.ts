import type { Delivery, StreamEntry } from './driver.ts';

/** An entry as Redis sends it: its id, then names and values by turns. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[] | null];

const NOTHING = Buffer.alloc(0);

export function entryFrom([id, fields]: RawEntry): StreamEntry {
  const { count, message, subject, group } = fieldsOf(fields);
  return { id: id.toString('latin1'), count, message, subject, group };
}

/** As {@link entryFrom}, of what a group's consumer was given. */
export function deliveryFrom([id, fields]: RawEntry, attempt: number): Delivery {
  const { count, message, subject, group } = fieldsOf(fields);
  return { id: id.toString('latin1'), count, message, subject, group, attempt };
}

interface Fields {
  message: Buffer;
  count: number | undefined;
  subject: string | undefined;
  group: string | undefined;
}

/** What others added to the stream has no message, which cannot be decoded, so that it counts as such. */
function fieldsOf(fields: readonly Buffer[] | null): Fields {
  const read: Fields = { message: NOTHING, count: undefined, subject: undefined, group: undefined };
  if (fields === null) return read;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1] as Buffer;
    switch (fields[i]?.toString('latin1') ?? '') {
      case 'm':
        read.message = value;
        break;
      case 'n':
        read.count = Number(value.toString('latin1'));
        break;
      case 's':
        read.subject = value.toString();
        break;
      case 'g':
        read.group = value.toString();
        break;
      default:
    }
  }
  return read;
}
