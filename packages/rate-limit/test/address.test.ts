import fc from 'fast-check';
import { expect, it } from 'vitest';
import { clientAddress, normalizeAddress } from '../src/index.ts';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:C000:0201', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::/64'],
  ['::1', '::/64'],
])('%s counts as %s', (address, subject) => {
  expect(normalizeAddress(address)).toBe(subject);
});

it('IPv6 by a wider network, or each address for itself', () => {
  expect(normalizeAddress('2001:db8:1:23ff::1', { ipv6Prefix: 56 })).toBe('2001:db8:1:2300::/56');
  expect(normalizeAddress('2001:db8::1', { ipv6Prefix: 128 })).toBe('2001:db8::1/128');
});

it.each([
  '',
  'localhost',
  '127.1',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '2130706433',
  '1.2.3.4:80',
  '1.2.3.4, 5.6.7.8',
  '::1/64',
])('%o is no address', (text) => {
  expect(() => normalizeAddress(text)).toThrow(expect.objectContaining({ code: 'ERR_ADDRESS_INVALID' }));
});

it('addresses of one network are one subject, whatever the rest is', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const subject = normalizeAddress(address);
      expect(normalizeAddress(subject.replace(/\/.*/, ''))).toBe(subject);
    }),
  );
});

const remoteAddress = '10.0.0.1';

it.each([
  ['nobody is trusted', { forwardedFor: '1.1.1.1' }, '10.0.0.1'],
  ['one hop', { forwardedFor: '6.6.6.6, 1.1.1.1', trust: { hops: 1 } }, '1.1.1.1'],
  ['two hops', { forwardedFor: '6.6.6.6, 1.1.1.1, 10.0.0.2', trust: { hops: 2 } }, '1.1.1.1'],
  ['more hops than addresses', { forwardedFor: '1.1.1.1', trust: { hops: 3 } }, '1.1.1.1'],
  ['no header', { trust: { hops: 1 } }, '10.0.0.1'],
  ['networks', { forwardedFor: '6.6.6.6, 1.1.1.1, 10.2.3.4', trust: { networks: ['10.0.0.0/8'] } }, '1.1.1.1'],
  ['all of them own', { forwardedFor: '10.9.9.9, 10.2.3.4', trust: { networks: ['10.0.0.0/8'] } }, '10.9.9.9'],
  ['a stranger at the other end', { forwardedFor: '1.1.1.1', trust: { networks: ['192.168.0.0/16'] } }, '10.0.0.1'],
  ['several fields', { forwardedFor: ['6.6.6.6', '1.1.1.1'], trust: { hops: 1 } }, '1.1.1.1'],
  ['a port', { forwardedFor: '1.1.1.1:4711', trust: { hops: 1 } }, '1.1.1.1'],
  ['IPv6 with a port', { forwardedFor: '[2001:db8::1]:4711', trust: { hops: 1 } }, '2001:db8::1'],
  ['no address in between', { forwardedFor: '1.1.1.1, unknown', trust: { hops: 2 } }, '10.0.0.1'],
  ['IPv4 within IPv6', { forwardedFor: '::ffff:1.1.1.1', trust: { networks: ['10.0.0.1'] } }, '1.1.1.1'],
])('X-Forwarded-For: %s', (_, options, client) => {
  expect(clientAddress({ remoteAddress, ...options })).toBe(client);
});

it('what a client sends before the proxies write is never taken for its address', () => {
  const lies = fc.array(fc.oneof(fc.ipV4(), fc.string(), fc.ipV6()), { maxLength: 60 });
  fc.assert(
    fc.property(lies, (sent) => {
      const forwardedFor = [...sent, '203.0.113.7', '10.0.0.2'].join(', ');
      expect(clientAddress({ remoteAddress, forwardedFor, trust: { hops: 2 } })).toBe('203.0.113.7');
      expect(clientAddress({ remoteAddress, forwardedFor, trust: { networks: ['10.0.0.0/8'] } })).toBe('203.0.113.7');
    }),
  );
});

it.each([
  [{ remoteAddress: 'unix' }],
  [{ remoteAddress, trust: { hops: -1 } }],
  [{ remoteAddress, trust: { networks: ['10.0.0.0/33'] } }],
  [{ remoteAddress, trust: { networks: ['10/8'] } }],
])('refuses %o', (options) => {
  expect(() => clientAddress(options)).toThrow(expect.objectContaining({ code: 'ERR_ADDRESS_INVALID' }));
});
