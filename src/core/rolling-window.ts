/**
 * Counts of several kinds over the last `windowMs`, in ten slices that fall out one by one. Those of longer ago are
 * kept up to `longestMs`, for who asks for a longer window.
 */
export class RollingWindow<Kind extends string> {
  readonly #sliceMs: number;
  readonly #slicesMax: number;
  readonly #kinds: readonly Kind[];
  #slices: { readonly number: number; readonly counts: Record<Kind, number> }[] = [];

  constructor(windowMs: number, kinds: readonly Kind[], longestMs = windowMs) {
    this.#sliceMs = Math.max(1, windowMs / SLICES);
    this.#slicesMax = Math.max(SLICES, Math.ceil(longestMs / this.#sliceMs));
    this.#kinds = kinds;
  }

  add(kind: Kind, nowMs: number, by = 1): void {
    const number = Math.floor(nowMs / this.#sliceMs);
    let slice = this.#slices.at(-1);
    if (slice === undefined || slice.number !== number) {
      slice = { number, counts: this.#zero() };
      this.#slices.push(slice);
      if (this.#slices.length > this.#slicesMax) this.#slices.shift();
    }
    slice.counts[kind] += by;
  }

  /** Over the window, or over the last `spanMs` and what is left of the slice it begins in. */
  counts(nowMs: number, spanMs?: number): Readonly<Record<Kind, number>> {
    const slices = spanMs === undefined ? SLICES : Math.ceil(spanMs / this.#sliceMs) + 1;
    const oldest = Math.floor(nowMs / this.#sliceMs) - slices;
    const sum = this.#zero();
    for (let index = this.#slices.length - 1; index >= 0; index--) {
      const slice = this.#slices[index];
      if (slice === undefined || slice.number <= oldest) break;
      for (const kind of this.#kinds) sum[kind] += slice.counts[kind];
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
