import type { createTierkit } from 'tierkit';
import { PLAN_OF, type PLANS } from './allowances.ts';

interface User {
  readonly id: string;
  readonly plan: keyof typeof PLANS;
}

/** The users, kept as entities: a table that counts its questions stands behind. */
export class Users {
  readonly #repository;
  #questions = 0;

  constructor(kit: ReturnType<typeof createTierkit>) {
    const findById = async (id: string): Promise<User> => {
      this.#questions++;
      return { id, plan: PLAN_OF[id] ?? 'free' };
    };
    this.#repository = kit.repository({ findById }, { entity: 'user', ttl: '1h' });
  }

  /** How often the table was asked by this instance. */
  get questions(): number {
    return this.#questions;
  }

  async find(id: string): Promise<User | undefined> {
    return this.#repository.findById(id);
  }

  /** Forgets what is kept of a user, everywhere, after a change that did not come through here. */
  async changed(id: string): Promise<boolean> {
    return this.#repository.invalidate('by_id', id);
  }
}
