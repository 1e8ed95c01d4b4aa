/** Where a listing of Redis's keys stands: before a step of its scan, or within one. */
export interface ScanPosition {
  /** Which of the masters is asked, by number. */
  readonly node: number;
  /** What SCAN is asked with. */
  readonly from: string;
  /** Within a step: what SCAN answered, and the last key that was handed out of it. */
  readonly within?: { readonly next: string; readonly after: string };
}

const FORM = /^(\d{1,4})-(\d{1,20})(?:-(\d{1,20})-([\w-]{1,4000}))?$/;

export function encodePosition({ node, from, within }: ScanPosition): string {
  const rest = within === undefined ? '' : `-${within.next}-${Buffer.from(within.after).toString('base64url')}`;
  return `${node}-${from}${rest}`;
}

/** @returns `undefined` for a text that {@link encodePosition} does not make */
export function decodePosition(cursor: string): ScanPosition | undefined {
  const [matched, node = '', from = '', next, after = ''] = FORM.exec(cursor) ?? [];
  if (matched === undefined || !isUnsigned64(from) || (next !== undefined && !isUnsigned64(next))) return undefined;
  const position = { node: Number(node), from };
  if (next === undefined) return position;
  return { ...position, within: { next, after: Buffer.from(after, 'base64url').toString() } };
}

function isUnsigned64(digits: string): boolean {
  return BigInt.asUintN(64, BigInt(digits)) === BigInt(digits);
}
