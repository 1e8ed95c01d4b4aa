import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { Cluster, Redis, type RedisOptions as IoredisOptions } from 'ioredis';
import type { ResolvedOptions } from './resolve-options.ts';

/** What an operation is given: an ioredis client of this connection. */
export type RedisClient = Redis | Cluster;

/** A client that connects in the background. */
export interface OpenedClient {
  readonly client: RedisClient;
  /** Ends what came with the client, once the client itself has ended. */
  readonly release: () => Promise<void>;
}

const ROLE_CHANGED = /^(READONLY|NOREPLICAS)/;

/** Milliseconds until connection attempt number `attempt`: 100, 200 up to 1000, with jitter so that clients spread. */
export function backoffMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 5), 1_000) + Math.random() * 100;
}

// ioredis's own type does not hold under exactOptionalPropertyTypes with this property in it.
export type ClientOptions = Omit<IoredisOptions, 'replyMapping'>;

/** ioredis options with which nothing is queued or sent twice; the deadline of commands is the connection's own. */
export function boundedOptions(options: ResolvedOptions): ClientOptions {
  return {
    protocol: 2,
    db: options.db,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.clientName === undefined ? {} : { connectionName: options.clientName }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // With 0 a lost connection rejects what is in flight at once; with 1 it would wait for its timeout.
    maxRetriesPerRequest: 0,
    socketTimeout: options.socketTimeoutMs,
    connectTimeout: options.connectTimeoutMs,
    disconnectTimeout: 200,
    keepAlive: 30_000,
    maxLoadingRetryTime: 1_000,
    retryStrategy: backoffMs,
    reconnectOnError: once((error) => ROLE_CHANGED.test(error.message)),
  };
}

/** One of the replies that arrive together is enough: for each, ioredis would begin to reconnect anew. */
function once(wanted: (error: Error) => boolean): (error: Error) => 1 | false {
  let told = false;
  return (error) => {
    if (told || !wanted(error)) return false;
    told = true;
    setImmediate(() => (told = false));
    return 1;
  };
}

/** Keeps an ioredis client, whose options hold the password, from showing more than its address when it is printed. */
export function conceal<C extends RedisClient>(client: C): C {
  const shown = (): string => `ioredis client (${client.status})`;
  Object.defineProperty(client, inspect.custom, { value: shown });
  Object.defineProperty(client, 'toJSON', { value: shown });
  return client;
}

/** Lets go of a stream that has closed: `disconnect` would arm a timer for it that only its close event clears. */
export function forgetClosedStream(client: Redis): void {
  const { connector } = client as unknown as { connector: { stream?: Duplex | undefined } };
  if (connector.stream?.destroyed === true) connector.stream = undefined;
}

/** Makes `disconnect` leave no timer, for a client on which ioredis itself calls it. */
export function tidyDisconnect(client: Redis): Redis {
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    forgetClosedStream(client);
    disconnect(reconnect);
  };
  return client;
}

/** What ioredis does for `socketTimeout`. */
interface SocketTimeout {
  socketTimeoutTimer: NodeJS.Timeout | undefined;
  readonly commandQueue: { readonly length: number };
  setSocketTimeout(): void;
}

/**
 * Lets `socketTimeout` give a connection up only after what has arrived was read. By itself ioredis takes a server for
 * silent when this process was busy for so long.
 */
export function readBeforeGivingUp<C extends Redis>(client: C): C {
  const { socketTimeout } = client.options;
  const inner = client as unknown as SocketTimeout;
  inner.setSocketTimeout = () => {
    const { stream } = client;
    const timer = setTimeout(() => setImmediate(giveUp), socketTimeout);
    inner.socketTimeoutTimer = timer;
    const giveUp = (): void => {
      if (inner.socketTimeoutTimer !== timer) return;
      inner.socketTimeoutTimer = undefined;
      stream.destroy(new Error(`Socket timeout: nothing came for ${socketTimeout} ms`));
    };
    // ioredis's own listener comes first, so the queue is what is left after this data.
    stream.once('data', () => {
      clearTimeout(inner.socketTimeoutTimer);
      inner.socketTimeoutTimer = undefined;
      if (inner.commandQueue.length > 0) inner.setSocketTimeout();
    });
  };
  return client;
}

/** Ends a connection that the server does not let into its database: ioredis would go on with it in database 0. */
function insistOnDatabase<C extends Redis>(client: C): C {
  const select = client.select.bind(client);
  client.select = async (db: number | string) => {
    const { stream } = client;
    try {
      return await select(db);
    } catch (error) {
      // With the error, which is then told as the reason.
      stream.destroy(error as Error);
      throw error;
    }
  };
  return client;
}

/** A client of one server that tells no secrets, gives up none that answered, and stays in its database. */
export function ownClient<C extends Redis>(client: C): C {
  return insistOnDatabase(readBeforeGivingUp(conceal(client)));
}

export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster;
}
