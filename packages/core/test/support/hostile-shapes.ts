/** Bytes in hex, of `n` parts each that decode to as much work or memory as one can think of. */
export const SHAPES: Readonly<Record<string, (n: number) => string>> = {
  'small integers': (n) => list(n, () => '01'),
  'doubles and strings': (n) => list(n, (i) => (i % 2 === 0 ? 'cb4001020304050607' : 'a2c3a9')),
  'short strings': (n) => list(n, (i) => text(i, 4)),
  'long strings of two bytes a character': (n) => list(Math.ceil(n / 10), () => str32(`日${'x'.repeat(8_000)}`)),
  'empty arrays': (n) => list(n, () => '90'),
  'empty maps': (n) => list(n, () => '80'),
  'arrays in arrays': (n) => list(n, () => `${'91'.repeat(60)}90`),
  'maps with a key of their own': (n) => list(n, (i) => `81${text(i, 4)}01`),
  'maps with a long key of their own': (n) => list(n, (i) => `81d928${hex(String(i).padStart(40, 'k'))}01`),
  'maps of 20 keys, all different': (n) => list(Math.ceil(n / 20), (j) => fields(20, (i) => text(j * 20 + i, 4))),
  'maps of 200 keys, all different': (n) => list(Math.ceil(n / 200), (j) => fields(200, (i) => text(j * 200 + i, 4))),
  'one map, all keys different': (n) => `df${u32(n)}${many(n, (i) => `${text(i, 4)}01`)}`,
  'nested maps, all keys different': (n) =>
    list(Math.ceil(n / 50), (j) => many(50, (i) => `81${text(j * 50 + i, 4)}`) + '01'),
  'one map of scattered indexes': (n) =>
    `df${u32(n)}${many(n, (i) => `${word(String((i * 40_009) % 4_294_967_291))}01`)}`,
  'maps with one high index': (n) => list(n, () => `81${word('1000')}01`),
  'maps with rising indexes': (n) =>
    list(n, () => `84${['1000', '2500', '4700', '8000'].map((k) => `${word(k)}01`).join('')}`),
  'maps with one index': (n) => list(n, (i) => `81${word(String(1_000_000 + i))}01`),
  'tagged: binaries': (n) => tagged(list(n, () => '81a200629201c400')),
  'tagged: floats': (n) => tagged(list(n, () => '81a200629209c40800000000000000ff')),
  'tagged: binaries of 255 bytes': (n) => tagged(list(n, () => `81a200629200c4ff${'00'.repeat(255)}`)),
  'tagged: dates': (n) => tagged(list(n, () => '81a2006401')),
  'tagged: maps': (n) => tagged(list(n, () => '81a2006d90')),
  'tagged: maps of maps': (n) => tagged(list(n, () => '81a2006d9281a2006d9001')),
  'tagged: sets': (n) => tagged(list(n, (i) => `81a2006591${text(i, 4)}`)),
  'tagged: one map': (n) => tagged(`81a2006d${list(2 * n, (i) => text(i, 4))}`),
  'tagged: bigints': (n) => tagged(list(n, () => `81a20069b0${hex('123456789abcdef0')}`)),
  'tagged: one bigint': (n) => tagged(`81a20069db${u32(n * 10)}${hex('7').repeat(n * 10)}`),
  'tagged: escaped keys': (n) => tagged(list(n, (i) => `81${word(`\u0001s\0${i.toString(36)}`)}01`)),
  'tagged: one record of escaped keys': (n) => tagged(`df${u32(n)}${many(n, (i) => `${word(`\u0001s\0${i}`)}01`)}`),
  'tagged: records without prototype': (n) => tagged(list(n, (i) => `81a2006e81${text(i, 4)}01`)),
  'tagged: no prototype, high indexes': (n) => tagged(list(n, () => `81a2006e81${word('1000')}01`)),
  'tagged: one without prototype': (n) => tagged(`81a2006edf${u32(n)}${many(n, (i) => `${text(i, 4)}01`)}`),
};

function hex(value: string): string {
  return Buffer.from(value).toString('hex');
}

function u32(n: number): string {
  return n.toString(16).padStart(8, '0');
}

function many(n: number, part: (i: number) => string): string {
  return Array.from({ length: n }, (_, i) => part(i)).join('');
}

function list(n: number, part: (i: number) => string): string {
  return `dd${u32(n)}${many(n, part)}`;
}

function fields(n: number, key: (i: number) => string): string {
  return `de${u32(n).slice(4)}${many(n, (i) => `${key(i)}01`)}`;
}

function word(value: string): string {
  return (0xa0 + value.length).toString(16) + hex(value);
}

function text(i: number, width: number): string {
  return word(i.toString(36).padStart(width, 'z'));
}

function str32(value: string): string {
  return `db${u32(Buffer.byteLength(value))}${hex(value)}`;
}

function tagged(value: string): string {
  return `c1${value}`;
}
