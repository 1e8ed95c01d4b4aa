import { joined, type Gap } from './gap.ts';

export type Overflow = 'dropOldest' | 'dropNewest' | 'disconnect';

export interface QueueBounds {
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  readonly overflow: Overflow;
}

type Slot<T> = { readonly item: T; readonly bytes: number; readonly kept: boolean } | { gap: Gap };

/** What a subscriber has before it, bounded, with gaps in the places where something is missing. */
export class EventQueue<T> {
  readonly #bounds: QueueBounds;
  #slots: Slot<T>[] = [];
  /** Slots before this one were taken. */
  #head = 0;
  #count = 0;
  #bytes = 0;
  /** Dropped at the head, to be told before what follows. */
  #before: Gap[] = [];

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count >= this.#bounds.maxQueue || this.#bytes >= this.#bounds.maxQueueBytes;
  }

  /**
   * @param kept whether it is never dropped, whatever the bounds
   * @returns how many items are missing now because of it; undefined when the bounds end the subscription
   */
  push(item: T, bytes: number, kept = false): number | undefined {
    let dropped = 0;
    while (
      this.#count > 0 &&
      (this.#count >= this.#bounds.maxQueue || this.#bytes + bytes > this.#bounds.maxQueueBytes)
    ) {
      if (kept) break;
      if (this.#bounds.overflow === 'disconnect') return undefined;
      const first = this.#slots[this.#head];
      if (this.#bounds.overflow === 'dropNewest' || (first !== undefined && 'kept' in first && first.kept)) {
        this.gap({ reason: 'overflow', missed: 1 });
        return dropped + 1;
      }
      const slot = this.#shiftSlot();
      if (slot === undefined) break;
      this.#tellBefore('gap' in slot ? slot.gap : { reason: 'overflow', missed: 1 });
      if (!('gap' in slot)) dropped++;
    }
    this.#slots.push({ item, bytes, kept });
    this.#count++;
    this.#bytes += bytes;
    return dropped;
  }

  /** Something is missing behind what is in the queue. */
  gap(gap: Gap): void {
    const last = this.#slots.length > this.#head ? this.#slots.at(-1) : undefined;
    if (last !== undefined && 'gap' in last && last.gap.reason === gap.reason) last.gap = joined(last.gap, gap);
    else this.#slots.push({ gap });
  }

  shift(): { readonly item: T } | { readonly gap: Gap } | undefined {
    const gap = this.#before.shift();
    return gap === undefined ? this.#shiftSlot() : { gap };
  }

  clear(): void {
    this.#slots = [];
    this.#before = [];
    this.#head = this.#count = this.#bytes = 0;
  }

  #shiftSlot(): Slot<T> | undefined {
    const slot = this.#slots[this.#head];
    if (slot === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#slots.length) {
      this.#slots = [];
      this.#head = 0;
    } else if (this.#head > 1_024 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    if (!('gap' in slot)) {
      this.#count--;
      this.#bytes -= slot.bytes;
    }
    return slot;
  }

  #tellBefore(gap: Gap): void {
    const last = this.#before.at(-1);
    if (last !== undefined && last.reason === gap.reason) this.#before[this.#before.length - 1] = joined(last, gap);
    else this.#before.push(gap);
  }
}
