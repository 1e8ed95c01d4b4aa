import type { StampedTags } from '../tags/stamped-tags.ts';
import type { TagTable } from '../tags/tag-table.ts';

/** The objects that hold them, and each name beside its text. */
const OWN_BYTES = 300;
const NAME_BYTES = 24;

/** The tags of an entry of the first level, which notices for itself that one of them was invalidated. */
export class Level1Tags {
  readonly #tags: StampedTags;
  readonly #scope: TagTable;
  readonly #everywhere: TagTable;
  /** What the tables had moved to when all tags were current. */
  #seen = -1;

  /** About what they take beside their entry. */
  readonly bytes: number;

  constructor(tags: StampedTags, scope: TagTable, everywhere: TagTable) {
    this.#tags = tags;
    this.bytes = tags.names.reduce((sum, name) => sum + NAME_BYTES + 2 * name.length, OWN_BYTES);
    this.#scope = scope;
    this.#everywhere = everywhere;
  }

  /** Whether all tags are known to be current. Between two invalidations of any tag it is one comparison. */
  get current(): boolean {
    return this.#seen === this.#scope.moves + this.#everywhere.moves || this.#look();
  }

  /** Whether a tag was invalidated, as far as this instance heard of it, or may have been. */
  get ended(): boolean {
    const { names, scope, everywhere } = this.#tags;
    return this.#scope.ended(scope, names) || this.#everywhere.ended(everywhere, names);
  }

  #look(): boolean {
    const { names, scope, everywhere } = this.#tags;
    if (!this.#scope.heard || this.#scope.verdict(scope, names) !== 'current') return false;
    if (!this.#everywhere.heard || this.#everywhere.verdict(everywhere, names) !== 'current') return false;
    this.#seen = this.#scope.moves + this.#everywhere.moves;
    return true;
  }
}
