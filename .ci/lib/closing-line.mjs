// Prints "N passed, N failed" for the vitest logs before "--"; the names after it are parts of CI that ended in failure.
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const args = process.argv.slice(2);
const split = args.indexOf('--');
const logs = split < 0 ? args : args.slice(0, split);
const broken = split < 0 ? [] : args.slice(split + 1);

let passed = 0;
let failed = 0;
for (const file of logs) {
  const line = stripVTControlCharacters(readFileSync(file, 'utf8')).match(/^\s*Tests\s+.*$/m)?.[0];
  passed += Number(line?.match(/(\d+) passed/)?.[1] ?? 0);
  failed += Number(line?.match(/(\d+) failed/)?.[1] ?? 0);
  // A run that never came to its summary is a failure of its own.
  if (line === undefined) failed++;
}
if (broken.length > 0) process.stdout.write(`failed parts: ${broken.join(', ')}\n`);
// A part may fail without a failed test, the checks for one.
failed = Math.max(failed, broken.length);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
