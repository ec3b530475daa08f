/** Counts of several kinds over the last `windowMs`, in ten slices that fall out one by one. */
export class RollingWindow<Kind extends string> {
  readonly #sliceMs: number;
  readonly #kinds: readonly Kind[];
  #slices: { readonly number: number; readonly counts: Record<Kind, number> }[] = [];

  constructor(windowMs: number, kinds: readonly Kind[]) {
    this.#sliceMs = Math.max(1, windowMs / SLICES);
    this.#kinds = kinds;
  }

  add(kind: Kind, nowMs: number): void {
    const number = Math.floor(nowMs / this.#sliceMs);
    let slice = this.#slices.at(-1);
    if (slice === undefined || slice.number !== number) {
      slice = { number, counts: this.#zero() };
      this.#slices.push(slice);
      if (this.#slices.length > SLICES) this.#slices.shift();
    }
    slice.counts[kind]++;
  }

  counts(nowMs: number): Readonly<Record<Kind, number>> {
    const oldest = Math.floor(nowMs / this.#sliceMs) - SLICES;
    const sum = this.#zero();
    for (const { number, counts } of this.#slices) {
      if (number > oldest) for (const kind of this.#kinds) sum[kind] += counts[kind];
    }
    return sum;
  }

  clear(): void {
    this.#slices = [];
  }

  #zero(): Record<Kind, number> {
    return Object.fromEntries(this.#kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
  }
}

const SLICES = 10;
