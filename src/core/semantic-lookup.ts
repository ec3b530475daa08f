import { type ChatResponse, textOf } from '../operations/chat.ts';
import { type KeyRing, partitionKey } from './cache-key.ts';
import type { Call, Next, Reply } from './call.ts';
import type { GatewayEvents } from './events.ts';
import type { GuardName } from './lexical-guards.ts';
import { replyWith } from './reply.ts';
import { type Near, reportBeside, SemanticAnswers } from './semantic-answers.ts';
import { agrees, type Comparison, type Embedder, embedderId, embedTexts, type Judge } from './semantic-models.ts';
import { type Question, questionOf } from './semantic-question.ts';
import { type SemanticReport, SHADOW_THRESHOLD, ShadowReport } from './semantic-report.ts';
import type { Store } from './store.ts';
import type { VectorIndex } from './vector-index.ts';

export interface ShadowOptions {
  /**
   * Says whether a kept answer and the live one say the same.
   *
   * @defaultValue the embedder: a cosine of at least 0.9 between the two answers
   */
  readonly judge?: Judge;
  /** Highest share of wrong hits that a recommended threshold may have. @defaultValue 0.01 */
  readonly falseHitRateMax?: number;
}

/** What one call may ask: `{ controls: { semanticCache: { mode: 'off' } } }`, or a higher threshold. */
export interface SemanticCacheControl {
  /** @defaultValue 'use' */
  readonly mode?: 'use' | 'off';
  /** At least that of the options. */
  readonly threshold?: number;
}

export interface SemanticSettings {
  readonly ring: KeyRing;
  readonly embed: string | Embedder;
  readonly threshold: number;
  readonly ttlMs: number;
  readonly multiTurn: boolean;
  readonly guards: ReadonlySet<GuardName>;
  readonly index: VectorIndex;
  readonly openStore: (call?: Call) => Store;
  readonly verify?: Judge;
  readonly shadow?: ShadowOptions;
}

/** Cosine from which two answers count as the same where no judge is named. */
const ANSWER_LIKENESS_MIN = 0.9;

/** Answers questions that were asked before in other words, or only measures what that would do. */
export class SemanticLookup {
  readonly #settings: SemanticSettings;
  readonly #measured = new ShadowReport();
  #answers: SemanticAnswers | undefined;

  constructor(settings: SemanticSettings) {
    this.#settings = settings;
  }

  report(): SemanticReport {
    return this.#measured.report(this.#settings.threshold, this.#settings.shadow?.falseHitRateMax ?? 0.01);
  }

  invalidate(tenant: string | null): Promise<void> {
    return this.#answersFor().invalidate(partitionKey(this.#settings.ring, tenant));
  }

  async around(call: Call<'chat'>, next: Next): Promise<Reply<'chat'>> {
    const { embed, ring, multiTurn, threshold, ttlMs, shadow } = this.#settings;
    const control = (call.controls?.['semanticCache'] ?? {}) as SemanticCacheControl;
    const off = control.mode === 'off' ? 'the call says so' : undefined;
    const question = off ?? questionOf(ring, call, embedderId(call, embed), multiTurn);
    if (typeof question === 'string') {
      note(call, { outcome: 'bypass', reason: question });
      return next(call);
    }
    const lowest = Math.max(threshold, control.threshold ?? 0);
    const found = await this.#find(call, next, question, shadow ? Math.min(lowest, SHADOW_THRESHOLD) : lowest);
    if (found === undefined) return next(call);
    if (shadow !== undefined) return this.#measure(call, next, question, found, lowest);
    for (const near of found.near) {
      if (!isHit(near, lowest) || !(await this.#verified(call, next, question.text, near))) continue;
      const { record, similarity, key } = near;
      const ageMs = Math.max(0, call.context.clock.now() - record.at);
      note(call, { outcome: 'hit', ageMs, usage: record.response.usage });
      return replyWith(call, record.response, record.target, { kind: 'semantic', ageMs, similarity, key });
    }
    note(call, { outcome: 'miss' });
    return this.#answersFor(call).keep(call, await next(call), question, found.vector, ttlMs);
  }

  #answersFor(call?: Call): SemanticAnswers {
    const { openStore, index, guards } = this.#settings;
    this.#answers ??= new SemanticAnswers(openStore(call), index, guards);
    return this.#answers;
  }

  /** What is kept near a question. `undefined` when the embedder or the store fails: that harms no call. */
  async #find(
    call: Call,
    next: Next,
    question: Question,
    threshold: number,
  ): Promise<{ vector: Float32Array; near: Near[] } | undefined> {
    try {
      const [vector] = (await embedTexts(call, next, this.#settings.embed, [question.text])) as [Float32Array];
      return { vector, near: await this.#answersFor(call).near(call, question, vector, threshold) };
    } catch (thrown) {
      if (call.signal.aborted) throw thrown;
      reportBeside(call, thrown, 'semantic cache');
      return undefined;
    }
  }

  async #verified(call: Call, next: Next, text: string, { question }: Near): Promise<boolean> {
    const { verify } = this.#settings;
    if (verify === undefined || text === question) return true;
    try {
      return await agrees(call, next, verify, { first: question, second: text });
    } catch (thrown) {
      if (call.signal.aborted) throw thrown;
      reportBeside(call, thrown, 'semantic cache verify');
      return false;
    }
  }

  /** Answers live, and compares behind the call's back what the nearest kept answer would have been worth. */
  async #measure(
    call: Call<'chat'>,
    next: Next,
    question: Question,
    { vector, near }: { vector: Float32Array; near: Near[] },
    lowest: number,
  ): Promise<Reply<'chat'>> {
    const nearest = near.find(({ objection }) => objection === undefined) ?? near[0];
    this.#measured.looked();
    note(call, { outcome: near.some((each) => isHit(each, lowest)) ? 'shadow-hit' : 'shadow-miss' });
    const compare = (live: ChatResponse): void => {
      if (nearest === undefined) return;
      const first = textOf(nearest.record.response.message);
      const comparison = { question: question.text, first, second: textOf(live.message) };
      // The call may be over, or aborted, before it is judged.
      const unbound = { ...call, signal: new AbortController().signal };
      const judge = this.#settings.shadow?.judge ?? ((both: Comparison) => this.#alike(unbound, next, both));
      const work = agrees(unbound, next, judge, comparison).then((same) => {
        const { similarity, objection } = nearest;
        this.#measured.add({ similarity, passed: objection === undefined, same, tokens: live.usage.total });
      });
      call.context.waitUntil(work);
    };
    return this.#answersFor(call).keep(call, await next(call), question, vector, this.#settings.ttlMs, compare);
  }

  async #alike(call: Call, next: Next, { first, second }: Comparison): Promise<boolean> {
    if (first === second) return true;
    const vectors = await embedTexts(call, next, this.#settings.embed, [first, second]);
    const [one, other] = vectors as [Float32Array, Float32Array];
    return one.reduce((sum, value, at) => sum + value * (other[at] as number), 0) >= ANSWER_LIKENESS_MIN;
  }
}

function isHit(near: Near, threshold: number): boolean {
  return near.similarity >= threshold && near.objection === undefined;
}

function note(call: Call, facts: Omit<GatewayEvents['cache'], 'callId' | 'by'>): void {
  call.context.emit('cache', { callId: call.id, by: 'semanticCache', ...facts });
}
