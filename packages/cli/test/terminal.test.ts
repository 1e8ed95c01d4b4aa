import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Output } from '../src/output/output.ts';
import { Progress } from '../src/output/progress.ts';
import { confirm, type Asker } from '../src/run/confirm.ts';

function terminal(isTTY = true, outputIsTTY = isTTY): { asker: Asker; input: PassThrough; shown: () => string } {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY: outputIsTTY });
  let shown = '';
  output.on('data', (text: Buffer) => (shown += text.toString()));
  return { asker: { input, output }, input, shown: () => shown };
}

const signal = new AbortController().signal;
const question = 'This ends 3 entries.';

it.each(['y\n', 'yes\n', 'YES\n'])('goes on after %j', async (answer) => {
  const { asker, input, shown } = terminal();
  const asked = confirm(asker, { question, yes: undefined, signal });
  input.write(answer);
  await asked;
  expect(shown()).toContain('This ends 3 entries. [y/N]');
});

it.each(['\n', 'n\n', 'yep\n'])('changes nothing after %j', async (answer) => {
  const { asker, input } = terminal();
  const asked = confirm(asker, { question, yes: undefined, signal });
  input.write(answer);
  await expect(asked).rejects.toMatchObject({ code: 'ERR_CLI_UNCONFIRMED' });
});

it.each([
  [false, false],
  [true, false],
  [false, true],
])('asks nobody but at a terminal (in: %s, out: %s), and nothing once somebody agreed beforehand', async (...ttys) => {
  const { asker, input, shown } = terminal(...ttys);
  input.end('y\n');
  await expect(confirm(asker, { question, yes: undefined, signal })).rejects.toMatchObject({
    code: 'ERR_CLI_UNCONFIRMED',
  });
  await confirm(asker, { question, yes: true, signal });
  expect(shown()).toBe('');
});

it('takes the end of the input for no', async () => {
  const { asker, input } = terminal();
  const asked = confirm(asker, { question, yes: undefined, signal });
  input.end();
  await expect(asked).rejects.toMatchObject({ code: 'ERR_CLI_UNCONFIRMED' });
});

it('stops asking at Ctrl-C', async () => {
  const { asker } = terminal();
  const controller = new AbortController();
  const asked = confirm(asker, { question, yes: undefined, signal: controller.signal });
  const reason = new Error('interrupted');
  controller.abort(reason);
  await expect(asked).rejects.toBe(reason);
});

it.each([
  { isTTY: true, json: false, drawn: true },
  { isTTY: true, json: true, drawn: false },
  { isTTY: false, json: false, drawn: false },
])('draws progress on a terminal for people alone: $isTTY, --json $json', ({ isTTY, json, drawn }) => {
  let shown = '';
  const sink = { isTTY, write: (text: string) => (shown += text) };
  const progress = new Progress(
    new Output({ write: () => expect.unreachable('stdout is for results') }, sink, json),
    'set',
  );
  progress.show(50, 100);
  progress.end();
  expect(shown.includes('[############------------] 50 %')).toBe(drawn);
  // The line is empty afterwards.
  if (drawn) expect(shown.endsWith('\r\u001b[2K')).toBe(true);
  else expect(shown).toBe('');
});
