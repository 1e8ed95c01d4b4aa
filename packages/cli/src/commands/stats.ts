import type { Instance } from '@tierkit/admin';
import type { TierStats } from '@tierkit/cache';
import type { ServerInfo } from '@tierkit/redis';
import { facts, table } from '../output/table.ts';
import { bytes, percent, time } from '../output/units.ts';
import type { AdminApi } from '../run/admin-api.ts';
import { adminOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';

/** What the admin API answers, as far as it is shown. */
interface ServiceStats {
  readonly hits: number;
  readonly misses: number;
  readonly hitRate: number;
  readonly coherent: boolean;
  readonly l1: { readonly entries: number; readonly bytes: number };
  readonly tiers: Readonly<Record<string, TierStats>>;
}

export function statsCommand({ command, action }: Registrar): void {
  command('stats', "Redis's own figures and the instances alive; with --admin hit rates and L1 of one of them")
    .addOption(adminOption())
    .action(
      action(async (session: Session) => {
        const api = session.adminApi;
        await (api === undefined ? fromRedis(session) : fromService(session, api));
        return undefined;
      }),
    );
}

async function fromRedis(session: Session): Promise<void> {
  const kit = await session.kit();
  const [server, known] = await session.untilAborted(Promise.all([kit.server(), kit.instances()]));
  // This look from outside is no instance of the service.
  const instances = known.filter(({ own }) => !own);
  session.output.report({
    data: { source: 'redis', server, instances },
    text: [server === undefined ? '' : serverText(server), '', instancesText(instances)].join('\n').trim(),
  });
}

async function fromService(session: Session, api: AdminApi): Promise<void> {
  const stats = await api.get<ServiceStats>('/api/v1/cache/stats');
  const { hits, misses, hitRate, coherent, l1 } = stats;
  const total = facts([
    ['hits', hits],
    ['misses', misses],
    ['hit rate', percent(hitRate)],
    ['hears of changes', coherent ? 'yes' : 'no'],
    ['L1', `${l1.entries} entries, ${bytes(l1.bytes)}`],
  ]);
  const rows = Object.entries(stats.tiers).map(([name, tier]) => [
    name,
    tier.l1Hits,
    tier.l2Hits,
    tier.misses + tier.shared,
    percent(tier.hitRate),
    tier.loads,
    tier.errors,
    tier.l1.entries,
  ]);
  const tiers = table(['TIER', 'L1 HITS', 'L2 HITS', 'MISSES', 'HIT RATE', 'LOADS', 'ERRORS', 'IN L1'], rows);
  session.output.report({ data: { ...stats, source: 'service' }, text: `${total}\n\n${tiers}` });
}

function serverText({ total, nodes }: ServerInfo): string {
  const { maxMemoryBytes, keyspaceHits: hits, keyspaceMisses: misses } = total;
  const limit = maxMemoryBytes === 0 ? 'no limit' : `of ${bytes(maxMemoryBytes)}`;
  return facts([
    ['masters', nodes.map(({ address }) => address).join(', ')],
    ['version', total.version],
    ['up', time(total.uptimeSeconds * 1_000)],
    ['memory', `${bytes(total.usedMemoryBytes)}, ${limit}, ${total.maxMemoryPolicy}`],
    ['keys', total.keys],
    ['clients', total.connectedClients],
    ['commands', `${total.commands}, ${total.commandsPerSecond} a second`],
    ['keyspace hit rate', hits === 0 ? percent(0) : percent(hits / (hits + misses))],
    ['evicted', total.evictedKeys],
    ['expired', total.expiredKeys],
  ]);
}

function instancesText(instances: readonly Instance[]): string {
  if (instances.length === 0) return 'no instance of a service is alive under this prefix';
  const rows = instances.map(({ host, pid, ageMs, coherent, hits, misses, l1 }) => [
    host,
    pid,
    `${time(ageMs)} ago`,
    coherent ? 'yes' : 'no',
    hits,
    misses,
    percent(hits === 0 ? 0 : hits / (hits + misses)),
    l1.entries,
  ]);
  return table(['HOST', 'PID', 'HEARD OF', 'COHERENT', 'HITS', 'MISSES', 'HIT RATE', 'IN L1'], rows);
}
