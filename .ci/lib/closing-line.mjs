// Prints what failed in the vitest logs before "--", and "N passed, N failed"; the names after "--" are parts of CI that ended in failure.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const MOST_LINES = 60;
const MOST_COLUMNS = 200;

const args = process.argv.slice(2);
const split = args.indexOf('--');
const logs = split < 0 ? args : args.slice(0, split);
const broken = split < 0 ? [] : args.slice(split + 1);

/** What vitest said of each failed test and error, without the quoted source. @param {string} log */
function failures(log) {
  const lines = log.split('\n');
  const from = lines.findIndex((line) => /⎯ (?:Failed|Unhandled)/.test(line));
  if (from < 0) return [];
  const to = lines.findIndex((line, index) => index > from && line.startsWith(' Test Files '));
  return lines
    .slice(from, to < 0 ? undefined : to)
    .filter((line) => line.trim() !== '' && !/^ +(?:\d+)?\|/.test(line) && !/^⎯+\[/.test(line))
    .map((line) => line.slice(0, MOST_COLUMNS));
}

let passed = 0;
let failed = 0;
for (const file of logs) {
  const log = stripVTControlCharacters(readFileSync(file, 'utf8'));
  const line = log.match(/^\s*Tests\s+.*$/m)?.[0];
  passed += Number(line?.match(/(\d+) passed/)?.[1] ?? 0);
  failed += Number(line?.match(/(\d+) failed/)?.[1] ?? 0);
  // A run that never came to its summary is a failure of its own.
  if (line === undefined) failed++;
  // Once more at the end, where it is seen: thousands of lines may have come since.
  const said = failures(log);
  if (said.length > 0) process.stdout.write(`== ${basename(file)}\n${said.slice(0, MOST_LINES).join('\n')}\n`);
  if (said.length > MOST_LINES) process.stdout.write(`… and ${said.length - MOST_LINES} lines more\n`);
}
if (broken.length > 0) process.stdout.write(`failed parts: ${broken.join(', ')}\n`);
// A part may fail without a failed test, the checks for one.
failed = Math.max(failed, broken.length);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
