// The package's own types cannot be found under `nodenext`; these are the parts that are used.
declare module 'redlock' {
  export interface VotingClient {
    evalsha(sha: string, keyCount: number, keysAndArgs: readonly (string | number)[]): Promise<unknown>;
    eval(script: string, keyCount: number, keysAndArgs: readonly (string | number)[]): Promise<unknown>;
  }

  export class ResourceLockedError extends Error {}

  export class ExecutionError extends Error {
    readonly attempts: readonly Promise<{
      readonly quorumSize: number;
      readonly votesFor: ReadonlySet<VotingClient>;
      readonly votesAgainst: ReadonlyMap<VotingClient, Error>;
    }>[];
  }

  export interface Lock {
    readonly value: string;
  }

  interface Script {
    readonly value: string;
    readonly hash: string;
  }

  export default class Redlock {
    readonly scripts: { readonly acquireScript: Script; readonly releaseScript: Script };
    constructor(
      clients: Iterable<VotingClient>,
      settings: { readonly retryCount: number; readonly driftFactor: number },
    );
    acquire(resources: string[], durationMs: number): Promise<Lock>;
    extend(lock: Lock, durationMs: number): Promise<Lock>;
    release(lock: Lock): Promise<unknown>;
  }
}
