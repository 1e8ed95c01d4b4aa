import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { runHere } from './run-here.ts';
import type { Said } from './said.ts';

const token = 'operator-0123456789abcdef';

/** Something that is asked in the place of an admin API. @returns where it is */
async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const ask = (url: string, timeout = '20s'): Promise<Said> =>
  runHere(['top', '--admin', url, '--timeout', timeout], { TIERKIT_ADMIN_TOKEN: token });

it.each([
  [400, 2],
  [401, 5],
  [403, 5],
  [404, 3],
  [409, 1],
  [413, 2],
  [500, 1],
  [503, 4],
  [504, 4],
])('ends after a status of %i with %i', async (status, code) => {
  const body = JSON.stringify({ code: 'ERR_OF_THEIRS', title: 'A title', detail: 'and why' });
  const url = await listening((_request, response) => response.writeHead(status).end(body));
  const said = await ask(url);
  expect([said.code, said.stdout]).toEqual([code, '']);
  expect(said.stderr).toContain('ERR_CLI_ADMIN_REFUSED: ERR_OF_THEIRS: A title: and why');
});

it('gives the token to nobody that it is sent on to', async () => {
  const heard: unknown[] = [];
  const other = await listening(({ headers }, response) => {
    heard.push(headers.authorization);
    response.end('{}');
  });
  const url = await listening((_request, response) => response.writeHead(302, { location: other }).end());
  const said = await ask(url);
  expect([said.code, said.stdout, heard]).toEqual([4, '', []]);
  expect(said.stderr).not.toContain(token);
});

it('waits no longer for an answer than it was told', async () => {
  const said = await ask(await listening(() => undefined), '200ms');
  expect(said.code).toBe(4);
  expect(said.stderr).toContain('no answer within 200 ms');
});

it('reads no answer that nobody could make use of', async () => {
  const part = 'x'.repeat(1_048_576);
  let sent = 0;
  const url = await listening((_request, response) => {
    const more = (): void => {
      if (response.destroyed || sent >= 200) return void response.end();
      sent++;
      if (response.write(part)) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  });
  const said = await ask(url);
  expect(said.code).toBe(1);
  expect(said.stderr).toContain('the answer is too large');
  expect(sent).toBeLessThan(100);
});
