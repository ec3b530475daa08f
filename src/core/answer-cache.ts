import type { ChatEvent } from '../operations/chat-events.ts';
import type { OperationName, Operations } from '../operations/index.ts';
import { traitsOf } from '../operations/traits-table.ts';
import { type CacheControl, type CacheMode, controlOf } from './answer-control.ts';
import { keepFailure, keepReply, slotKey } from './answer-keeping.ts';
import { takeTurn } from './answer-lock.ts';
import { type AnswerRecord, failureOf } from './answer-record.ts';
import { isDeterministic, unsharable } from './answer-rules.ts';
import type { AnswerStore } from './answer-store.ts';
import { callKey, type KeyRing, ownKey } from './cache-key.ts';
import type { CachedFacts, Call, Next, Reply } from './call.ts';
import { embedFromParts } from './embedding-cache.ts';
import { type GatewayError, toGatewayError } from './errors.ts';
import { EventStream } from './event-stream.ts';
import type { GatewayEvents } from './events.ts';
import { refreshInBackground } from './refresh.ts';
import { replyWith } from './reply.ts';
import { rhythmicSource } from './stream-recording.ts';

export interface AnswerCacheSettings {
  readonly ring: KeyRing;
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly failureTtlMs: number;
  readonly answers: number;
  readonly deterministicOnly: boolean;
  readonly acceptFallback: boolean;
  readonly recordedRhythm: boolean;
  readonly lock: boolean;
}

/** One call's dealings with the cache. */
export interface CacheTask<K extends OperationName = OperationName> {
  readonly call: Call<K>;
  readonly control: CacheControl;
  readonly mode: CacheMode;
  /** The key all answers to this call have in common. */
  readonly base: string;
  /** Which of the answers this call reads and writes. */
  readonly slot: number;
  readonly era: number;
}

/** Answers calls from what was answered before: exactly the same call, never another. */
export class AnswerCache {
  readonly settings: AnswerCacheSettings;
  readonly store: AnswerStore;
  readonly #refreshing = new Set<string>();

  constructor(settings: AnswerCacheSettings, store: AnswerStore) {
    this.settings = settings;
    this.store = store;
  }

  async around<K extends OperationName>(call: Call<K>, next: Next): Promise<Reply<K>> {
    const task = this.#taskOf(call);
    if (typeof task === 'string') {
      note(call, { outcome: 'bypass', reason: task });
      return next(call);
    }
    if (isEmbed(task) && task.control.key === undefined) {
      return embedFromParts(this, task, next) as unknown as Promise<Reply<K>>;
    }
    const reading = this.reads(task.mode) ? this.store.read(call, keyOf(task)) : undefined;
    const found = this.#usable<K>(call, reading instanceof Promise ? await reading : reading);
    if (found === undefined) return this.#ask(task, next, undefined);
    const ageMs = ageOf(call, found);
    if (ageMs < found.ttlMs) return this.#serve(task, found, 'exact');
    if (found.failure === undefined && ageMs < found.ttlMs + this.settings.staleWhileRevalidateMs) {
      this.#refresh(task, next);
      return this.#serve(task, found, 'stale');
    }
    return this.#ask(task, next, found);
  }

  reads(mode: CacheMode): boolean {
    return mode === 'use' || mode === 'read-only';
  }

  writes(mode: CacheMode): boolean {
    return mode !== 'read-only';
  }

  /** Only what a candidate of this very call has made. */
  mayServe(call: Call, producer: string): boolean {
    const { candidates } = call.plan;
    return (this.settings.acceptFallback ? candidates : candidates.slice(0, 1)).some(({ id }) => id === producer);
  }

  /** A call and its key, or why it has none. */
  #taskOf<K extends OperationName>(call: Call<K>): CacheTask<K> | string {
    const { ring, answers, deterministicOnly } = this.settings;
    const control = controlOf(call, 'cache');
    const { mode = 'use' } = control;
    if (mode === 'off') return 'the call says so';
    const reason = unsharable(call, control.mode !== undefined);
    if (reason !== undefined) return reason;
    if (deterministicOnly && !isDeterministic(call)) return 'its sampling is not deterministic';
    let base: string;
    try {
      base = control.key === undefined ? callKey(ring, call) : ownKey(ring, call, control.key);
    } catch {
      return 'the request has no canonical JSON';
    }
    const slot = answers === 1 ? 0 : Math.floor(call.context.random() * answers);
    return { call, control, mode, base, slot, era: this.store.era };
  }

  #usable<K extends OperationName>(call: Call<K>, record: AnswerRecord | undefined): AnswerRecord<K> | undefined {
    return record !== undefined && this.mayServe(call, record.producer) ? (record as AnswerRecord<K>) : undefined;
  }

  #serve<K extends OperationName>(
    { call, base }: CacheTask<K>,
    record: AnswerRecord<K>,
    kind: 'exact' | 'stale',
  ): Reply<K> {
    if (record.failure !== undefined) throw failureOf(record);
    const response = record.response as Operations[K]['response'];
    const { target, rhythm } = record;
    const cached: CachedFacts = { kind, ageMs: ageOf(call, record), key: base };
    const usage = traitsOf<K>(call.operation).usage(response);
    note(call, { outcome: kind === 'stale' ? 'stale' : 'hit', ageMs: cached.ageMs, usage });
    if (!call.stream || rhythm === undefined || !this.settings.recordedRhythm) {
      return replyWith(call, response, target, cached);
    }
    const { clock, attempts } = call.context;
    const replay = traitsOf<K>(call.operation).stream?.replay(response) as Iterable<ChatEvent>;
    const source = rhythmicSource(replay, rhythm, clock, call.signal);
    const events = new EventStream(source, { clock, signal: call.signal });
    return { operation: call.operation, target, attempts, cached, stream: true, events } as unknown as Reply<K>;
  }

  /** Asks upstream and keeps what comes. `old` is served once more if nothing does. */
  async #ask<K extends OperationName>(
    task: CacheTask<K>,
    next: Next,
    old: AnswerRecord<K> | undefined,
  ): Promise<Reply<K>> {
    const { call, mode } = task;
    let release: (() => Promise<void>) | undefined;
    if (this.settings.lock && mode === 'use') {
      const turn = await takeTurn(call, this.store.storeFor(call), keyOf(task), () => this.#fresh(task));
      if ('found' in turn) return this.#serve(task, turn.found, 'exact');
      release = turn.release;
    }
    if (this.reads(mode)) note(call, { outcome: 'miss' });
    try {
      return keepReply(this, task, await next(call), release);
    } catch (thrown) {
      const error = toGatewayError(thrown, 'A middleware');
      // The call has its answer: it does not wait for a store that may be slow.
      call.context.waitUntil(keepFailure(this, task, error).then(release));
      if (old !== undefined && old.failure === undefined && isOutage(error)) {
        if (ageOf(call, old) < old.ttlMs + this.settings.staleIfErrorMs) return this.#serve(task, old, 'stale');
      }
      throw thrown;
    }
  }

  async #fresh<K extends OperationName>(task: CacheTask<K>): Promise<AnswerRecord<K> | undefined> {
    const record = this.#usable<K>(task.call, await this.store.read(task.call, keyOf(task)));
    return record !== undefined && ageOf(task.call, record) < record.ttlMs ? record : undefined;
  }

  #refresh<K extends OperationName>(task: CacheTask<K>, next: Next): void {
    const key = keyOf(task);
    if (this.#refreshing.has(key)) return;
    this.#refreshing.add(key);
    const work = refreshInBackground(task.call, next)
      .then((reply) => {
        keepReply(this, task, reply);
        note(task.call, { outcome: 'refreshed' });
      })
      .finally(() => this.#refreshing.delete(key));
    task.call.context.waitUntil(work);
  }
}

export function ageOf(call: Call, { at }: AnswerRecord): number {
  // Another process may have a clock that is ahead.
  return Math.max(0, call.context.clock.now() - at);
}

function keyOf({ base, slot }: CacheTask): string {
  return slotKey(base, slot);
}

/** Failures behind which the same request might have been answered: an old answer is better than none. */
function isOutage({ fault, code, fallbackable }: GatewayError): boolean {
  // Every target is at rest after its own failures.
  if (code === 'circuit-open' || (code === 'no-target' && fallbackable)) return true;
  return fault === 'target' || fault === 'network' || fault === 'credential';
}

function isEmbed(task: CacheTask): task is CacheTask<'embed'> {
  return task.call.operation === 'embed';
}

type CacheFacts = Omit<GatewayEvents['cache'], 'callId' | 'by'>;

/** Tells listeners what the cache did. */
export function note(call: Call, facts: CacheFacts): void {
  call.context.emit('cache', { callId: call.id, by: 'cache', ...facts });
}
