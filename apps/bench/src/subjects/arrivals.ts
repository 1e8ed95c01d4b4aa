/** Counts what arrives, for one who waits for a number. */
export class Arrivals {
  count = 0;
  last: unknown;
  #target = Infinity;
  #resolve: () => void = () => {};

  add(event: unknown): void {
    this.last = event;
    if (++this.count >= this.#target) this.#resolve();
  }

  reach(target: number): Promise<void> {
    if (this.count >= target) return Promise.resolve();
    return new Promise((resolve) => {
      this.#target = target;
      this.#resolve = resolve;
    });
  }
}
