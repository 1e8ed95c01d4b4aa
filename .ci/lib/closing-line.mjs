// Prints "N passed, N failed" for the vitest logs given as arguments, and fails when a log counts no test.
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  const line = stripVTControlCharacters(readFileSync(file, 'utf8')).match(/^\s*Tests\s+.*$/m)?.[0];
  if (line === undefined) throw new Error(`${file} has no summary line`);
  passed += Number(line.match(/(\d+) passed/)?.[1] ?? 0);
  failed += Number(line.match(/(\d+) failed/)?.[1] ?? 0);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
