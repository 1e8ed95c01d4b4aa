import type { RepositorySource } from '../../src/index.ts';

export interface Hero {
  readonly id: string;
  readonly name: string;
  readonly language: string;
  readonly level?: number;
}

/** A table that counts what it is asked, and lets a test in where it wants to be. */
export class HeroTable implements RepositorySource<Hero, string, Omit<Hero, 'id'> & { readonly id?: string }> {
  readonly rows = new Map<string, Hero>();
  readonly asked: string[] = [];
  /** Before and after each change of a row. */
  onWrite: (step: 'before' | 'after', id: string) => Promise<void> = async () => {};
  #lastId = 0;

  constructor(...heroes: Hero[]) {
    for (const hero of heroes) this.rows.set(hero.id, hero);
  }

  /** What was asked since the last call. */
  questions(): string[] {
    return this.asked.splice(0);
  }

  async findById(id: string): Promise<Hero | null> {
    this.asked.push(`id ${id}`);
    return this.rows.get(id) ?? null;
  }

  async findBy(where: Partial<Hero>): Promise<Hero[]> {
    this.asked.push(Object.values(where).join(' '));
    const fields = Object.entries(where);
    return [...this.rows.values()].filter((hero) =>
      fields.every(([name, value]) => hero[name as keyof Hero] === value),
    );
  }

  async findAll(): Promise<Hero[]> {
    this.asked.push('all');
    return [...this.rows.values()];
  }

  async save(draft: Omit<Hero, 'id'> & { readonly id?: string }): Promise<Hero> {
    const hero = { ...draft, id: draft.id ?? `n${++this.#lastId}` };
    await this.#change(hero.id, () => this.rows.set(hero.id, hero));
    return hero;
  }

  async update(id: string, changes: Partial<Hero>): Promise<Hero> {
    await this.#change(id, () => {
      const hero = this.rows.get(id);
      if (hero === undefined) throw new Error(`no hero ${id}`);
      this.rows.set(id, { ...hero, ...changes });
    });
    return this.rows.get(id) as Hero;
  }

  async delete(id: string): Promise<boolean> {
    let existed = false;
    await this.#change(id, () => (existed = this.rows.delete(id)));
    return existed;
  }

  async #change(id: string, change: () => unknown): Promise<void> {
    await this.onWrite('before', id);
    change();
    await this.onWrite('after', id);
  }
}

export const ann: Hero = { id: '1', name: 'Ann', language: 'en' };
export const bo: Hero = { id: '2', name: 'Bo', language: 'fr' };
export const cy: Hero = { id: '3', name: 'Cy', language: 'de' };
