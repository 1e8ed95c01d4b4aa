import { Redis } from 'ioredis';
import { afterEach, beforeEach } from 'vitest';
import { startProxy, startRedis, type Proxy, type StandaloneRedis } from '../../../../test/servers/index.ts';
import { createTiers, type Tiers, type TiersOptions } from '../../src/index.ts';

/** A Redis of each test's own, with a link to it that can be broken, and the caches that were opened on it. */
export interface OwnRedis {
  readonly server: StandaloneRedis;
  readonly link: Proxy;
  /** Past the link. */
  readonly raw: Redis;
  /** Closed after the test. */
  readonly open: (redis: TiersOptions['redis'], options?: Partial<TiersOptions>) => Tiers;
  /** As `open`, and ready. */
  readonly tiersAt: (redis: TiersOptions['redis'], options?: Partial<TiersOptions>) => Promise<Tiers>;
}

/** To be called where a test file or a group of tests begins: it is there within the tests only. */
export function ownRedis(): OwnRedis {
  let server: StandaloneRedis;
  let link: Proxy;
  let raw: Redis;
  const opened: Tiers[] = [];
  const open: OwnRedis['open'] = (redis, options = {}) => {
    const tiers = createTiers({ redis, feedTimeout: '600ms', ...options });
    opened.push(tiers);
    return tiers;
  };
  beforeEach(async () => {
    server = await startRedis();
    link = await startProxy({ target: { port: server.port } });
    raw = new Redis(server.url);
    raw.on('error', () => {});
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
    raw.disconnect();
    await link.stop();
    await server.stop();
  });
  return {
    get server() {
      return server;
    },
    get link() {
      return link;
    },
    get raw() {
      return raw;
    },
    open,
    async tiersAt(redis, options) {
      const tiers = open(redis, options);
      await tiers.ready();
      return tiers;
    },
  };
}
