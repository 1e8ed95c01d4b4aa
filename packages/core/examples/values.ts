// Values to bytes and back, and a copy that nobody can change.
import assert from 'node:assert/strict';
import { copyValue, createCodec, TierkitError } from '@tierkit/core';

const codec = createCodec();
const order = { id: 42n, placedAt: new Date('2026-01-02'), lines: new Map([['pen', { count: 2 }]]), note: undefined };

const bytes = codec.encode(order);
assert.deepEqual(codec.decode(bytes), order);

const shared = copyValue(order, { frozen: true });
assert.throws(() => Object.assign(shared, { id: 1n }), TypeError);
assert.equal(Object.isFrozen(order), false);

try {
  codec.encode({ user: { name: 'Ada', greet: () => 'hello' } });
} catch (error) {
  assert(error instanceof TierkitError && error.code === 'ERR_VALUE_UNSUPPORTED');
  process.stdout.write(`${error.message}\n`); // $.user.greet is a function
}

try {
  codec.decode(Buffer.from('whatever Redis held'));
} catch (error) {
  assert(error instanceof TierkitError && error.code === 'ERR_VALUE_CORRUPT');
  process.stdout.write(`${error.message}\n`);
}
