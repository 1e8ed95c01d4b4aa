// An extension of msgpackr is for the whole process and for ever: prints what the codec makes of values in spite of some.
import { isDeepStrictEqual } from 'node:util';
import { addExtension } from 'msgpackr';
import { createCodec } from '@tierkit/core';

const codec = createCodec();
const kept = (value: unknown): boolean => isDeepStrictEqual(codec.decode(codec.encode(value)), value);
const foreign = { pack: () => Buffer.from([1]), unpack: () => 'broken' };

addExtension({ Class: Date, type: 0x22, ...foreign });
addExtension({ Class: Map, type: 0x23, ...foreign });
addExtension({ Class: Object, type: 0x24, ...foreign });
const tagged = kept({ date: new Date(7), map: new Map([['x', undefined]]), list: [{}] });
const plain = kept([{ a: 1 }]);

addExtension({ Class: Buffer, type: 0x25, ...foreign });
let noticed: unknown;
try {
  codec.encode(Buffer.from('x'));
} catch (error) {
  noticed = (error as { code?: string }).code;
}
process.stdout.write(JSON.stringify({ tagged, plain, noticed }));
