import type { Scope, Tiers } from '../../src/index.ts';

/** One backend, with or without an in-process level, as the suites see it. */
export interface Subject {
  /** A scope that nothing else uses. */
  readonly fresh: () => Scope;
  /** There once the tests run. */
  readonly tiers: () => Tiers;
  /** Others on the same backend, with a prefix of their own. */
  readonly another: () => Promise<Tiers>;
  /** Whether there is an in-process level. */
  readonly l1: boolean;
}
