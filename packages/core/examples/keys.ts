// Keys, patterns and durations as users write them.
import assert from 'node:assert/strict';
import { compilePattern, decodeKey, encodeKey, encodeSegment, parseDuration } from '@tierkit/core';

assert.equal(encodeKey('model:gpt-4:answers'), 'model:gpt-4:answers');
assert.equal(encodeKey(['user', 'eve:admin', 'profile']), 'user:eve%3Aadmin:profile');
assert.deepEqual(decodeKey('user:eve%3Aadmin:profile'), ['user', 'eve:admin', 'profile']);

// An id cannot leave its place, whatever it holds.
assert.equal(`session:{${encodeSegment('x}:{y', 'session id')}}`, 'session:{x%7D%3A%7By}');

const models = compilePattern('model:*:v?');
assert.equal(models.matches(encodeKey('model:gpt 4:vé')), true);
assert.equal(models.matches(encodeKey('model:gpt 4:v10')), false);

assert.equal(parseDuration('1.5h', 'ttl'), 5_400_000);
assert.throws(() => parseDuration('5', 'ttl'), { code: 'ERR_DURATION_INVALID' });
process.stdout.write('keys, patterns and durations are as stated\n');
