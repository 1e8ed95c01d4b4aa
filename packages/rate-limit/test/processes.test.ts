import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { bundle } from '../../../test/support/bundle.ts';

it('4 processes that fire at once admit exactly the bound', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const program = await bundle(fileURLToPath(new URL('support/consuming-process.ts', import.meta.url)));
  const children = Array.from({ length: 4 }, () => fork(program.file, [inject('redisUrl'), prefix, '400']));
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const answers = children.map((child) => once(child, 'message'));
    for (const child of children) child.send('go');
    const results = (await Promise.all(answers)).map(([result]) => result as { allowed: number; unanswered: number });
    expect(results.map(({ unanswered }) => unanswered)).toEqual([0, 0, 0, 0]);
    expect(results.reduce((sum, { allowed }) => sum + allowed, 0)).toBe(100);
  } finally {
    for (const child of children) child.kill();
    program.remove();
  }
});
