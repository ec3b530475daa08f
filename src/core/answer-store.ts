import { LRUCache } from 'lru-cache';
import { type AnswerRecord, copyOf, decodeRecord, encodeRecord } from './answer-record.ts';
import type { Call } from './call.ts';
import { toGatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { Invalidation, MaybePromise, Store, StoreValue } from './store.ts';

export interface WriteOptions {
  /** How long the store keeps it, in milliseconds. */
  readonly keepMs: number;
  readonly tags: readonly string[];
}

/**
 * Kept answers in a store that may be slow, gone or broken without harm to any call. What this process wrote it reads
 * at once; what was asked for before an invalidation is not written after it.
 */
export class AnswerStore {
  readonly #make: (call: Call) => Store;
  #store: Store | undefined;
  /** Writes on their way, by key. Bounded by the calls in flight. */
  readonly #writing = new Map<string, Promise<AnswerRecord | undefined>>();
  readonly #settled = new Set<Promise<void>>();
  /** Texts read lately, as the records they are: the same text need not be parsed twice. */
  readonly #decoded = new LRUCache<string, AnswerRecord>({
    max: LIMITS.decodedAnswersMax,
    maxSize: LIMITS.decodedTextMax,
    sizeCalculation: (_record, text) => text.length + 1,
  });
  #invalidations = 0;

  /** `make` gives the store of this process where none is given, once there is a call with a clock. */
  constructor(given: Store | undefined, make: (call: Call) => Store) {
    this.#store = given;
    this.#make = make;
  }

  /** Changes with every invalidation: what began under another one is not kept. */
  get era(): number {
    return this.#invalidations;
  }

  storeFor(call: Call): Store {
    this.#store ??= this.#make(call);
    return this.#store;
  }

  read(call: Call, key: string): MaybePromise<AnswerRecord | undefined> {
    const writing = this.#writing.get(key);
    if (writing !== undefined) return writing.then((record) => record && copyOf(record));
    try {
      const entry = this.storeFor(call).get(key);
      if (!(entry instanceof Promise)) return entry && this.#decode(entry.value);
      return entry.then(
        (found) => found && this.#decode(found.value),
        (error: unknown) => this.#report(call, error),
      );
    } catch (error) {
      return this.#report(call, error);
    }
  }

  /** Keeps a record once it is known to be fit, if nothing was invalidated since `era`. Never throws or rejects. */
  write(
    call: Call,
    key: string,
    record: AnswerRecord,
    fit: Promise<boolean> | undefined,
    era: number,
    options: WriteOptions,
  ): MaybePromise<void> {
    try {
      // At once: what a caller does to its answer later is not everybody's.
      const text = encodeRecord(record);
      const put = (): MaybePromise<unknown> => {
        if (era !== this.#invalidations) return undefined;
        const ttlMs = Math.max(1, Math.ceil(options.keepMs));
        return this.storeFor(call).set(key, text, { ttlMs, tags: options.tags });
      };
      const done = fit === undefined ? put() : fit.then((isFit) => (isFit ? put() : undefined));
      if (!(done instanceof Promise)) return undefined;
      const known = (fit ?? Promise.resolve(true)).then((isFit) => (isFit ? decodeRecord(text) : undefined));
      this.#writing.set(key, known);
      const work: Promise<void> = done
        .catch((error: unknown) => this.#report(call, error))
        .then(() => {
          if (this.#writing.get(key) === known) this.#writing.delete(key);
          this.#settled.delete(work);
        });
      this.#settled.add(work);
      call.context.waitUntil(work);
      return work;
    } catch (error) {
      return this.#report(call, error);
    }
  }

  delete(call: Call, key: string): MaybePromise<void> {
    try {
      const done = this.storeFor(call).delete(key);
      if (!(done instanceof Promise)) return undefined;
      return done.then(
        () => undefined,
        (error: unknown) => this.#report(call, error),
      );
    } catch (error) {
      return this.#report(call, error);
    }
  }

  /** After it resolves, nothing it names is served again. Rejects with `unavailable` if that cannot be promised. */
  async invalidate(what: readonly Invalidation[], keys: readonly string[] = []): Promise<void> {
    this.#invalidations++;
    this.#writing.clear();
    this.#decoded.clear();
    await Promise.all(this.#settled);
    const store = this.#store;
    if (store === undefined) return;
    for (const each of what) await store.invalidate(each);
    for (const key of keys) await store.delete(key);
  }

  #decode(value: StoreValue): AnswerRecord | undefined {
    if (typeof value !== 'string') return undefined;
    let record = this.#decoded.get(value);
    if (record === undefined) {
      record = decodeRecord(value);
      if (record === undefined) return undefined;
      this.#decoded.set(value, record);
    }
    return copyOf(record);
  }

  /** A store that throws is a miss and a `problem` event. */
  #report(call: Call, thrown: unknown): undefined {
    const error = toGatewayError(thrown, 'A store of answers');
    call.context.emit('problem', { stage: 'store of answers', code: error.code, error });
    return undefined;
  }
}
