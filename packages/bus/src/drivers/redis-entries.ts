import type { Delivery, StreamEntry } from './driver.ts';

/** An entry as Redis sends it: its id, then names and values by turns. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[] | null];

const NOTHING = Buffer.alloc(0);

export function entryFrom([id, fields]: RawEntry): StreamEntry {
  const { count, message, subject, group } = fieldsOf(fields);
  return { id: id.toString('latin1'), count, message, subject, group };
}

/** As {@link entryFrom}, of what a group's consumer was given. */
export function deliveryFrom([id, fields]: RawEntry, attempt: number, counted: boolean): Delivery {
  const { count, message, subject, group } = fieldsOf(fields);
  return { id: id.toString('latin1'), count, message, subject, group, attempt, counted };
}

interface Fields {
  message: Buffer;
  count: number | undefined;
  subject: string | undefined;
  group: string | undefined;
}

const SUBJECT = 's'.charCodeAt(0);
const GROUP = 'g'.charCodeAt(0);

/**
 * The first field is the message, under the entry's number. What others added to the stream has no number, and most
 * likely no message, which is found out when it is decoded.
 */
function fieldsOf(fields: readonly Buffer[] | null): Fields {
  const count = Number(fields?.[0]?.toString('latin1'));
  const read: Fields = {
    message: fields?.[1] ?? NOTHING,
    count: Number.isSafeInteger(count) && count > 0 ? count : undefined,
    subject: undefined,
    group: undefined,
  };
  if (fields === null || fields.length === 2) return read;
  for (let i = 2; i + 1 < fields.length; i += 2) {
    const name = fields[i];
    if (name?.length !== 1) continue;
    if (name[0] === SUBJECT) read.subject = fields[i + 1]?.toString();
    else if (name[0] === GROUP) read.group = fields[i + 1]?.toString();
  }
  return read;
}
