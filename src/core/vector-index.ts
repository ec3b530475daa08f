import { invalidOptions } from './errors.ts';
import { type MaybePromise, storeKey } from './store.ts';

export interface VectorMatch {
  readonly id: string;
  /** Cosine, from -1 to 1. */
  readonly similarity: number;
}

/**
 * Finds the vectors that are nearest to one, inside one bucket only: buckets are hard filters, never part of the
 * vector. Small enough to be put before any database; `vectorIndexContract` of `postern/testing` says whether it is
 * right. It may throw or reject: the semantic cache then asks as if it were not there.
 */
export interface VectorIndex {
  readonly name: string;
  /** Adds or replaces. A vector of no length is left out. */
  add(bucket: string, id: string, vector: Float32Array): MaybePromise<void>;
  /** At most `limit` matches of at least `threshold`, nearest first. */
  search(
    bucket: string,
    vector: Float32Array,
    options: { readonly limit: number; readonly threshold: number },
  ): MaybePromise<readonly VectorMatch[]>;
  remove(bucket: string, id: string): MaybePromise<void>;
  /** Removes every vector of the buckets whose names begin with this: all of a tenant, say. */
  clear(bucketPrefix: string): MaybePromise<void>;
}

export interface MemoryVectorIndexOptions {
  /** Most vectors, over all buckets; the oldest goes first. @defaultValue 10_000 */
  readonly entriesMax?: number;
}

/** An exact scan over vectors in this process. 10,000 of 384 numbers take some 10 ms; beyond, use a real index. */
export function memoryVectorIndex(options: MemoryVectorIndexOptions = {}): VectorIndex & { readonly size: number } {
  const { entriesMax = 10_000 } = options;
  if (!Number.isSafeInteger(entriesMax) || entriesMax < 1) {
    throw invalidOptions('entriesMax', 'must be a whole number above 0.');
  }
  return new MemoryVectors(entriesMax);
}

/** A vector of length 1 in the same direction; `undefined` if it has none. */
export function normalised(vector: ArrayLike<number>): Float32Array | undefined {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += (vector[at] as number) ** 2;
  if (!(sum > 0) || !Number.isFinite(sum)) return undefined;
  return Float32Array.from(vector, (value) => value / Math.sqrt(sum));
}

/** A cosine as it is told: rounding of 32-bit numbers must not make a text less than itself. */
export function similarityOf(cosine: number): number {
  return Math.min(1, cosine + 1e-6);
}

class MemoryVectors implements VectorIndex {
  readonly name = 'memory';
  readonly #entriesMax: number;
  readonly #buckets = new Map<string, Bucket>();
  /** Every entry, oldest first. */
  readonly #order = new Map<string, readonly [bucket: string, id: string]>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#order.size;
  }

  add(bucket: string, id: string, vector: Float32Array): void {
    const unit = normalised(vector);
    if (unit === undefined) return;
    this.remove(bucket, id);
    let entries = this.#buckets.get(bucket);
    if (entries === undefined) this.#buckets.set(bucket, (entries = new Bucket(unit.length)));
    if (entries.dimensions !== unit.length) return;
    entries.add(id, unit);
    this.#order.set(storeKey([bucket, id]), [bucket, id]);
    if (this.#order.size <= this.#entriesMax) return;
    const [oldest] = this.#order.values();
    if (oldest !== undefined) this.remove(...oldest);
  }

  search(
    bucket: string,
    vector: Float32Array,
    { limit, threshold }: { readonly limit: number; readonly threshold: number },
  ): readonly VectorMatch[] {
    const unit = normalised(vector);
    const entries = this.#buckets.get(bucket);
    if (unit === undefined || entries?.dimensions !== unit.length) return [];
    return entries.search(unit, limit, threshold);
  }

  remove(bucket: string, id: string): void {
    if (!this.#order.delete(storeKey([bucket, id]))) return;
    const entries = this.#buckets.get(bucket);
    if (entries?.remove(id) === true) this.#buckets.delete(bucket);
  }

  clear(bucketPrefix: string): void {
    for (const [bucket, id] of [...this.#order.values()]) if (bucket.startsWith(bucketPrefix)) this.remove(bucket, id);
  }
}

/** Unit vectors side by side in one block of memory, so that a scan reads straight through. */
class Bucket {
  readonly dimensions: number;
  #vectors: Float32Array;
  readonly #ids: string[] = [];
  readonly #places = new Map<string, number>();

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#vectors = new Float32Array(dimensions * 4);
  }

  add(id: string, unit: Float32Array): void {
    const place = this.#ids.length;
    if ((place + 1) * this.dimensions > this.#vectors.length) {
      const larger = new Float32Array(this.#vectors.length * 2);
      larger.set(this.#vectors);
      this.#vectors = larger;
    }
    this.#vectors.set(unit, place * this.dimensions);
    this.#ids.push(id);
    this.#places.set(id, place);
  }

  /** Says whether the bucket is empty now. The last one takes the free place. */
  remove(id: string): boolean {
    const place = this.#places.get(id);
    const last = this.#ids.pop();
    if (place === undefined || last === undefined) return this.#ids.length === 0;
    this.#places.delete(id);
    if (last !== id) {
      const from = this.#ids.length * this.dimensions;
      this.#vectors.copyWithin(place * this.dimensions, from, from + this.dimensions);
      this.#ids[place] = last;
      this.#places.set(last, place);
    }
    return this.#ids.length === 0;
  }

  search(unit: Float32Array, limit: number, threshold: number): VectorMatch[] {
    const found: VectorMatch[] = [];
    const { length } = this.#ids;
    const { dimensions } = this;
    const vectors = this.#vectors;
    let least = threshold;
    for (let place = 0; place < length; place++) {
      const similarity = dot(unit, vectors, place * dimensions, dimensions);
      if (similarity < least) continue;
      found.push({ id: this.#ids[place] as string, similarity });
      if (found.length <= limit) continue;
      found.sort((one, other) => other.similarity - one.similarity).pop();
      least = (found.at(-1) as VectorMatch).similarity;
    }
    return found.sort((one, other) => other.similarity - one.similarity);
  }
}

/** Four sums at once: the processor does not wait for each addition. */
function dot(unit: Float32Array, vectors: Float32Array, from: number, length: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let at = 0;
  for (; at + 3 < length; at += 4) {
    a += (unit[at] as number) * (vectors[from + at] as number);
    b += (unit[at + 1] as number) * (vectors[from + at + 1] as number);
    c += (unit[at + 2] as number) * (vectors[from + at + 2] as number);
    d += (unit[at + 3] as number) * (vectors[from + at + 3] as number);
  }
  for (; at < length; at++) a += (unit[at] as number) * (vectors[from + at] as number);
  return similarityOf(a + b + c + d);
}
