export { startRedis, type StandaloneRedis } from './standalone.ts';
