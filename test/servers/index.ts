export { ask, until } from './ask.ts';
export { startCluster, type ClusterOptions, type RedisCluster } from './cluster.ts';
export { freePort } from './ports.ts';
export { RedisProcess } from './process.ts';
export { type Direction } from './proxied-connection.ts';
export { startProxy, type Proxy, type ProxyOptions } from './proxy.ts';
export { startSentinel, type RedisSentinel, type SentinelOptions } from './sentinel.ts';
export { startRedis, type StandaloneRedis } from './standalone.ts';
