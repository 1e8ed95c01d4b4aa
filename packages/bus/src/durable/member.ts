import type { Clock, Logger } from '@tierkit/core';
import type { BusDriver, GroupOwner } from '../drivers/driver.ts';
import type { ConsumerSettings } from './consumer-options.ts';

/** One consumer of a group, and where it works. */
export interface Member {
  readonly driver: BusDriver;
  readonly stream: string;
  readonly owner: GroupOwner;
  readonly settings: ConsumerSettings;
  readonly logger: Logger;
  readonly clock: Clock;
}
