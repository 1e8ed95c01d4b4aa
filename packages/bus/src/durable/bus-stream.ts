import type { BusDriver, GroupState } from '../drivers/driver.ts';
import type { DeadLetters } from './dead-letters.ts';

/** A durable channel as those who operate it see it. */
export interface BusStream {
  /** The channel's, as it stands in the map. */
  readonly name: string;
  /** How far each of its groups is, in whichever process. @throws {TierkitError} `ERR_REDIS_*` */
  groups(): Promise<readonly (GroupState & { readonly name: string })[]>;
  readonly deadLetters: DeadLetters;
}

export function busStream(name: string, stream: string, driver: BusDriver, deadLetters: DeadLetters): BusStream {
  return {
    name,
    async groups() {
      const names = await driver.groups(stream);
      return Promise.all(names.map(async (group) => Object.assign({ name: group }, await driver.state(stream, group))));
    },
    deadLetters,
  };
}
