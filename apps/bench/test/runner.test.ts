import { describe, expect, test } from 'vitest';
import { createRunner } from '../src/runner.ts';
import type { OpenSubject } from '../src/subject.ts';

const keys = ['a', 'b', 'c'];

function subjectThat(read: OpenSubject['read']): OpenSubject {
  return { read, write: async () => undefined, close: async () => undefined };
}

describe.each([1, 4])('%i reads at a time', (concurrency) => {
  test('reads the keys in turn, and goes on where the slice before ended', async () => {
    const seen: string[] = [];
    const runner = createRunner(
      'fake',
      subjectThat(async (key) => seen.push(key)),
      { keys, concurrency },
    );
    await runner.run(4);
    await runner.run(3);
    expect(seen).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  });

  test('keeps so many under way', async () => {
    let running = 0;
    let most = 0;
    const read = async (): Promise<number> => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      return running--;
    };
    await createRunner('fake', subjectThat(read), { keys, concurrency }).run(50);
    expect(most).toBe(concurrency);
  });

  test('fails when a read finds nothing', async () => {
    const runner = createRunner(
      'fake',
      subjectThat(async () => undefined),
      { keys, concurrency },
    );
    await expect(runner.run(1)).rejects.toThrow('a read found nothing: a');
  });

  test('hands over a load that a hit must not call', async () => {
    const runner = createRunner(
      'fake',
      subjectThat((_key, load) => load()),
      { keys, concurrency },
    );
    await expect(runner.run(1)).rejects.toThrow('a hit must not load');
  });
});
