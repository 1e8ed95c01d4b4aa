import type { TagStamp } from '../tags/stamped-tags.ts';

/**
 * What instances tell each other: 12 characters of origin, one that names the kind, and a body of encoded names, which
 * never hold a line break.
 */
export type Invalidation =
  /** These entries changed or went. */
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  /** All entries of the scope with this generation key went. */
  | { readonly kind: 'scope'; readonly generationKey: string }
  /** All entries of all scopes whose generation keys begin so went. */
  | { readonly kind: 'tier'; readonly prefix: string }
  /** The entries of a scope whose names match an encoded pattern went. */
  | { readonly kind: 'pattern'; readonly generationKey: string; readonly pattern: string }
  /** The tags of a table were invalidated, which counted it to the stamp; without tags, all were. */
  | { readonly kind: 'tags'; readonly tagsKey: string; readonly stamp: TagStamp; readonly names: readonly string[] }
  /** Keys of the tier are written behind from now on: what is missing may be pending. */
  | { readonly kind: 'behind'; readonly tier: string }
  /** A load ended; nothing changed for those who did not wait for it. */
  | { readonly kind: 'loaded'; readonly key: string };

/** What is announced by the caller; tags are by the script that counts them. */
export type Announced = Exclude<Invalidation, { kind: 'tags' }>;

/** Makes the message that a script is to publish. */
export type Announce = (news: Announced) => { readonly channel: string; readonly message: string };

const ORIGIN_LENGTH = 12;
const MAX_BYTES = 1_048_576;

export function encodeInvalidation(origin: string, invalidation: Announced): string {
  switch (invalidation.kind) {
    case 'keys':
      return `${origin}k${invalidation.keys.join('\n')}`;
    case 'scope':
      return `${origin}s${invalidation.generationKey}`;
    case 'tier':
      return `${origin}w${invalidation.prefix}`;
    case 'pattern':
      // As the user wrote it, line breaks and all.
      return `${origin}p${invalidation.generationKey}\n${JSON.stringify(invalidation.pattern)}`;
    case 'loaded':
      return `${origin}l${invalidation.key}`;
    case 'behind':
      return `${origin}b${invalidation.tier}`;
    default:
      return invalidation satisfies never;
  }
}

/** What goes before the stamp and the tags, which the script that invalidates them adds. */
export function tagAnnouncement(origin: string, tagsKey: string): string {
  return `${origin}t${tagsKey}\n`;
}

/** @returns the news, and whether this origin sent it; undefined for bytes that are no message */
export function parseInvalidation(message: Buffer, origin: string): (Invalidation & { own: boolean }) | undefined {
  if (message.length <= ORIGIN_LENGTH || message.length > MAX_BYTES) return undefined;
  const own = originOf(message) === origin;
  const body = message.toString('utf8', ORIGIN_LENGTH + 1);
  const kind = message.toString('latin1', ORIGIN_LENGTH, ORIGIN_LENGTH + 1);
  if (kind === 'k') return { own, kind: 'keys', keys: body.split('\n') };
  if (kind === 's') return { own, kind: 'scope', generationKey: body };
  if (kind === 'w') return { own, kind: 'tier', prefix: body };
  if (kind === 'l') return { own, kind: 'loaded', key: body };
  if (kind === 'b') return { own, kind: 'behind', tier: body };
  if (kind === 't') {
    const [tagsKey = '', counted = '', ...names] = body.split('\n');
    const [table = Number.NaN, at = Number.NaN] = counted.split(' ').map(Number);
    if (!Number.isSafeInteger(table) || !Number.isSafeInteger(at)) return undefined;
    return { own, kind: 'tags', tagsKey, stamp: { table, at }, names };
  }
  if (kind !== 'p') return undefined;
  const [generationKey = '', quoted = ''] = body.split('\n');
  const pattern = unquoted(quoted);
  return pattern === undefined ? undefined : { own, kind: 'pattern', generationKey, pattern };
}

/** Which instance sent a message that holds news; latin1, so that any bytes are text. */
export function originOf(message: Buffer): string {
  return message.toString('latin1', 0, ORIGIN_LENGTH);
}

function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
