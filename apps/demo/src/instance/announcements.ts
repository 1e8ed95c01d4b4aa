import { durable, ephemeral } from '@tierkit/bus';
import { setTimeout as sleep } from 'node:timers/promises';
import type { createTierkit } from 'tierkit';
import type { Users } from './users.ts';

interface Named {
  readonly id: string;
}
interface Text {
  readonly text: string;
}
interface Warned extends Text {
  readonly user: string;
  /** The part of the limit, such as 0.8. */
  readonly threshold: number;
}

const CHANNELS = {
  // Whoever is away for a moment must not miss it.
  'events:version_promoted': durable<{ readonly version: string }>(),
  'events:session_ended': ephemeral<Named>(),
  'events:project_changed': ephemeral<Named>(),
  'events:user_changed': ephemeral<Named>(),
  'notifications:user:{id}': ephemeral<Text>(),
  'notifications:admin': ephemeral<Text>(),
  'notifications:alerts': ephemeral<Text>(),
  'system:health_check': ephemeral<{ readonly status: string; readonly latencyMs: number }>(),
  'system:quota_warning': ephemeral<Warned>(),
};

/** What analyses are tagged with, since a new version of the analyser may find something else. */
export const ANALYSES = 'analyses';

/** An event that an instance heard. */
export interface Heard {
  /** Parameters in braces. */
  readonly type: string;
  readonly channel: string;
  /** The instance that said it. */
  readonly from: string;
  /** From saying to hearing. */
  readonly ms: number;
  /** As JSON. */
  readonly data: string;
}

const PATIENCE_MS = 3_000;

/** What instances tell each other. The only file that uses the bus. */
export class Announcements {
  readonly #kit: ReturnType<typeof createTierkit>;
  readonly #users: Users;
  readonly #bus;
  readonly #worker;
  #heard: Heard[] = [];

  constructor(kit: ReturnType<typeof createTierkit>, users: Users, instance: string) {
    this.#kit = kit;
    this.#users = users;
    this.#bus = kit.bus(CHANNELS, { source: instance });
    // One of all instances does it, for all of them.
    this.#worker = this.#bus.consume('events:version_promoted', { group: 'cache' }, async ({ data: { version } }) => {
      await kit.invalidateTags([ANALYSES], { required: true });
      await this.#bus.publish('notifications:alerts', { text: `${instance} ended the analyses of before ${version}` });
    });
  }

  async sessionEnded(id: string): Promise<boolean> {
    const confirmed = await this.#kit.session(id).clear();
    await this.#bus.publish('events:session_ended', { id });
    return confirmed;
  }

  async projectChanged(id: string): Promise<boolean> {
    const confirmed = await this.#kit.project(id).clear();
    await this.#bus.publish('events:project_changed', { id });
    return confirmed;
  }

  async userChanged(id: string): Promise<boolean> {
    const confirmed = await this.#users.changed(id);
    await this.#bus.publish('events:user_changed', { id });
    return confirmed;
  }

  async versionPromoted(version: string): Promise<void> {
    await this.#bus.publish('events:version_promoted', { version });
  }

  async quotaWarning(user: string, threshold: number, text: string): Promise<void> {
    await this.#bus.publish('system:quota_warning', { user, threshold, text });
    await this.#bus.publish('notifications:user:{id}', { text }, { params: { id: user } });
    if (threshold >= 1) await this.#bus.publish('notifications:admin', { text });
  }

  async healthCheck(): Promise<void> {
    const { status, latencyMs } = await this.#kit.health();
    await this.#bus.publish('system:health_check', { status, latencyMs: Number(latencyMs.toFixed(2)) });
  }

  /** Notes what is said from now on, by this instance as well. */
  async listen(): Promise<void> {
    const off = this.#bus.on(['events:*', 'notifications:*', 'system:*'], (event) => {
      const { type, channel, source, time, data } = event;
      const from = source.split('/', 1)[0] ?? '';
      this.#heard.push({ type, channel, from, ms: Date.now() - time, data: JSON.stringify(data) });
    });
    await Promise.all([off.ready, this.#worker.ready]);
  }

  /** What was heard on a channel about something; waits until it was so many events, but not for ever. */
  async hear(type: string, about: string, count: number): Promise<Heard[]> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.#heard.filter((event) => event.type === type && event.data.includes(about));
      if (found.length >= count || Date.now() > deadline) return found;
      await sleep(1);
    }
  }
}
