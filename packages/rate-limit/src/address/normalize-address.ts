import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';
import { limitError } from '../errors.ts';

/** Parses what Node takes for an address; an IPv4 address within IPv6 comes out as IPv4, a zone is dropped. */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // Alone, ipaddr.js also takes 0x7f.1 and 127.1 for addresses.
  if (typeof text !== 'string' || isIP(text) === 0) return undefined;
  return ipaddr.process(text.replace(/%.*$/, ''));
}

/**
 * An IP address as a subject to limit: IPv4 as it is, IPv6 by its network, since one host has the whole of it.
 *
 * @param options.ipv6Prefix How many bits of an IPv6 address count, 32 to 128. @default 64
 * @throws {TierkitError} `ERR_ADDRESS_INVALID`
 */
export function normalizeAddress(address: string, options: { readonly ipv6Prefix?: number } = {}): string {
  const { ipv6Prefix = 64 } = options;
  if (!Number.isInteger(ipv6Prefix) || ipv6Prefix < 32 || ipv6Prefix > 128)
    throw limitError('ERR_ADDRESS_INVALID', 'ipv6Prefix must be a whole number from 32 to 128');
  const parsed = parseAddress(address);
  if (parsed === undefined) throw limitError('ERR_ADDRESS_INVALID', 'the address is no IP address');
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${ipv6Prefix}`);
  return `${network.toString()}/${ipv6Prefix}`;
}
