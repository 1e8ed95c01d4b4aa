import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serverEvents, type ServerEvent } from '../dashboard/src/api/server-events.ts';

async function parse(chunks: readonly Uint8Array[]): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of serverEvents(ReadableStream.from<Uint8Array>(chunks))) events.push(event);
  return events;
}

describe('serverEvents', () => {
  it('finds the same events wherever the stream was cut, within a character too', async () => {
    const event = fc.record({ event: fc.constantFrom('stats', 'change'), data: fc.json() });
    await fc.assert(
      fc.asyncProperty(fc.array(event), fc.array(fc.nat(50)), async (events, cuts) => {
        const text = events.map(({ event: name, data }) => `event: ${name}\ndata: ${data}ä€😀\n\n`).join('');
        const bytes = Buffer.from(text);
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const length of cuts) chunks.push(bytes.subarray(at, (at += length)));
        chunks.push(bytes.subarray(at));
        expect(await parse(chunks)).toEqual(
          events.map(({ event: name, data }) => ({ event: name, data: `${data}ä€😀` })),
        );
      }),
    );
  });

  it('leaves out comments, and an event that was cut off by the end', async () => {
    const text = ': still here\n\nevent: stats\ndata: 1\ndata: 2\n\ndata: cut';
    expect(await parse([Buffer.from(text)])).toEqual([{ event: 'stats', data: '1\n2' }]);
  });
});
