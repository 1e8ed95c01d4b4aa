import { createHash, randomBytes } from 'node:crypto';
import type { AdminToken, QueuePart } from '@tierkit/admin';
import { findQueues, type FoundQueue } from '../discovery/queues.ts';
import { cliError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import type { Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';
import { wholeNumber } from '../run/whole-number.ts';

interface AdminCommandOptions {
  readonly port: string;
  readonly host: string;
  readonly values?: boolean;
}

const VARIABLES = [
  ['TIERKIT_VIEWER_TOKEN', 'viewer'],
  ['TIERKIT_OPERATOR_TOKEN', 'operator'],
  ['TIERKIT_ADMIN_TOKEN', 'admin'],
] as const;

export function adminCommand({ command, action }: Registrar): void {
  command('admin', 'serves the management API and the dashboard until Ctrl-C')
    .option('--port <number>', '0 for any that is free', '7379')
    .option('--host <address>', 'who can reach it; others than this machine only with tokens of your own', '127.0.0.1')
    .option('--values', 'lets the tokens read cached values as well')
    .addHelpText(
      'after',
      [
        '\nTokens, of 16 characters at least: TIERKIT_VIEWER_TOKEN, TIERKIT_OPERATOR_TOKEN, TIERKIT_ADMIN_TOKEN.',
        'Without one, an admin token is made for this run and told on stderr.',
        'It shows what is in Redis; hit rates, top keys, limiters and quotas belong to services that mount the API themselves.',
      ].join('\n'),
    )
    .action(
      action(async (session: Session, { port: given, host, values = false }: AdminCommandOptions) => {
        const port = wholeNumber(given, '--port', 65_535, 0);
        const { tokens, made } = tokensOf(session, host, values);
        // Nothing else needs the server and the schemas of its routes.
        const { createAdmin, serveAdmin } = await import('@tierkit/admin');
        const kit = await session.kit();
        const queues = (await findQueues(session)).map(partOf);
        const locks = await session.locks();
        const admin = createAdmin(kit, { tokens, parts: { locks, queues: () => queues } });
        const server = session.opened(await serveAdmin(admin, { port, hostname: host }).catch(notServed(host, port)));
        const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}/`;
        session.output.line({ data: { url, port: server.port }, text: url });
        if (made !== undefined) session.output.note(`token for this run: ${made}`);
        session.output.note('Ctrl-C ends it');
        await session.untilAborted(new Promise<never>(() => {}));
        return undefined;
      }),
    );
}

function notServed(host: string, port: number): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it failed';
    throw cliError('ERR_CLI_USAGE', `cannot listen at ${printable(host)}, port ${port}: ${code}`);
  };
}

function tokensOf(session: Session, host: string, values: boolean): { tokens: AdminToken[]; made: string | undefined } {
  const tokens: AdminToken[] = VARIABLES.flatMap(([variable, role]) => {
    const token = session.environment[variable];
    return token === undefined || token === '' ? [] : [{ name: role, token, role, values }];
  });
  if (tokens.length > 0) return { tokens, made: undefined };
  if (!['127.0.0.1', '::1', 'localhost'].includes(host)) {
    throw cliError('ERR_CLI_USAGE', `to be reached at ${printable(host)}, set TIERKIT_ADMIN_TOKEN`);
  }
  const made = randomBytes(24).toString('base64url');
  const sha256 = createHash('sha256').update(made).digest('hex');
  return { tokens: [{ name: 'admin', sha256, role: 'admin', values }], made };
}

function partOf(queue: FoundQueue): QueuePart {
  const { name, kind } = queue;
  return {
    ...{ name, kind },
    state: async () => ({ pending: await queue.pending(), deadLetters: await queue.count() }),
    deadLetters: {
      list: (options) => queue.list(options),
      replay: (ids) => queue.replay(ids),
      remove: (ids) => queue.remove(ids),
    },
  };
}
