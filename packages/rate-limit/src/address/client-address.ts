import ipaddr from 'ipaddr.js';
import { limitError } from '../errors.ts';
import { parseAddress } from './normalize-address.ts';

/** Which of the addresses that a request came through are one's own: how many, or in which networks. */
export type TrustedProxies = { readonly hops: number } | { readonly networks: readonly string[] };

export interface ClientAddressOptions {
  /** The other end of the connection. */
  readonly remoteAddress: string;
  /** `X-Forwarded-For` as it was received. */
  readonly forwardedFor?: string | readonly string[] | undefined;
  /** Without it the header, which anybody can send, counts for nothing. */
  readonly trust?: TrustedProxies | undefined;
}

type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

/** Whoever has more in front of him than this is not looked for. */
const MOST_HOPS = 32;
const MOST_CHARACTERS = 4_096;

/**
 * The address of the client of a request: the last one that no trusted proxy has written about itself.
 *
 * With `hops: 2` that is the second from the right in `X-Forwarded-For`; with `networks`, the first from the right that is
 * in none of them. What is left of something that is no address is not believed.
 *
 * @throws {TierkitError} `ERR_ADDRESS_INVALID`: `remoteAddress` is none, or `trust` is not as it should be
 */
export function clientAddress({ remoteAddress, forwardedFor, trust }: ClientAddressOptions): string {
  const remote = parseAddress(remoteAddress);
  if (remote === undefined) throw limitError('ERR_ADDRESS_INVALID', 'remoteAddress is no IP address');
  if (trust === undefined) return remote.toString();
  const isOwn = ownBy(trust);
  let client = remote;
  for (const [hop, text] of forwarded(forwardedFor).entries()) {
    if (!isOwn(client, hop)) break;
    const next = parseAddress(withoutPort(text));
    if (next === undefined) break;
    client = next;
  }
  return client.toString();
}

/** The last first. */
function forwarded(header: string | readonly string[] | undefined): string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  const parts = text.slice(-MOST_CHARACTERS).split(',');
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .toReversed()
    .slice(0, MOST_HOPS);
}

function withoutPort(text: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}

function ownBy(trust: TrustedProxies): (address: Parsed, hop: number) => boolean {
  if ('hops' in trust) {
    const { hops } = trust;
    if (!Number.isInteger(hops) || hops < 0 || hops > MOST_HOPS)
      throw limitError('ERR_ADDRESS_INVALID', `hops must be a whole number from 0 to ${MOST_HOPS}`);
    return (_, hop) => hop < hops;
  }
  const networks = trust.networks.map(parseNetwork);
  return (address) => networks.some((network) => isWithin(address, network));
}

function parseNetwork(text: string): [Parsed, number] {
  try {
    const [address, bits] = ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
    if (parseAddress(text.replace(/\/.*$/, '')) !== undefined) return [address, bits];
  } catch {
    // Said below.
  }
  throw limitError('ERR_ADDRESS_INVALID', `${JSON.stringify(text.slice(0, 60))} is no network such as 10.0.0.0/8`);
}

function isWithin(address: Parsed, [network, bits]: [Parsed, number]): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
