import type { ChatResponse } from '../operations/chat.ts';
import { toolCallsOf } from '../operations/chat.ts';
import { type AnswerRecord, decodeRecord, encodeRecord, keptResponse, producerOf } from './answer-record.ts';
import { hasItsForm, isWhole } from './answer-rules.ts';
import type { Call, PlainReply, Reply } from './call.ts';
import { digest } from './digest.ts';
import { toGatewayError } from './errors.ts';
import { type GuardName, guardAgainst, type LexicalForm, lexicalForm } from './lexical-guards.ts';
import { transform } from './reply.ts';
import type { Question } from './semantic-question.ts';
import { type Store, storeKey } from './store.ts';
import { recordStream } from './stream-recording.ts';
import type { VectorIndex } from './vector-index.ts';

/** A kept answer near a question. */
export interface Near {
  readonly similarity: number;
  readonly question: string;
  readonly record: AnswerRecord<'chat'> & { readonly response: ChatResponse };
  /** The guard that objects, if one does. */
  readonly objection: GuardName | undefined;
  readonly key: string;
}

/** Neighbours looked at for one question: the nearest may be objected to. */
const NEIGHBOURS_MAX = 5;
/** Forms of texts read lately. */
const FORMS_MAX = 1_000;

/** Questions with their answers: vectors in an index, answers in a store, both behind the same wall. */
export class SemanticAnswers {
  readonly #store: Store;
  readonly #index: VectorIndex;
  readonly #guards: ReadonlySet<GuardName>;
  readonly #forms = new Map<string, LexicalForm>();
  #era = 0;

  constructor(store: Store, index: VectorIndex, guards: ReadonlySet<GuardName>) {
    this.#store = store;
    this.#index = index;
    this.#guards = guards;
  }

  /** Kept answers that are fresh and near, nearest first, with what the guards say. */
  async near(call: Call, { text, bucket }: Question, vector: Float32Array, threshold: number): Promise<Near[]> {
    const found: Near[] = [];
    for (const { id, similarity } of await this.#index.search(bucket, vector, { limit: NEIGHBOURS_MAX, threshold })) {
      const key = keyOf(bucket, id);
      const kept = readKept((await this.#store.get(key))?.value);
      const fresh = kept !== undefined && call.context.clock.now() - kept.record.at < kept.record.ttlMs;
      // Gone from the store, or overwritten: the index follows.
      if (!fresh) await this.#index.remove(bucket, id);
      else if (call.plan.candidates.some((candidate) => candidate.id === kept.record.producer)) {
        const objection = guardAgainst(this.#formOf(text), this.#formOf(kept.question), this.#guards);
        found.push({ ...kept, similarity, objection, key });
      }
    }
    return found;
  }

  /** Keeps a reply's answer once it has come whole, then tells of it. */
  keep(
    call: Call<'chat'>,
    reply: Reply<'chat'>,
    question: Question,
    vector: Float32Array,
    ttlMs: number,
    onAnswer?: (response: ChatResponse) => void,
  ): Reply<'chat'> {
    if (reply.cached !== undefined || producerOf(call, reply) === undefined) return reply;
    const era = this.#era;
    const keep = (response: ChatResponse): void => {
      // Who ends a stream need not be who began it.
      const producer = producerOf(call, reply);
      if (producer === undefined || !isWhole(call, response) || toolCallsOf(response.message).length > 0) return;
      const at = call.context.clock.now();
      const kept = { version: 1 as const, at, ttlMs, producer: producer.id, target: reply.target };
      const text = encodeRecord({ ...kept, response: keptResponse<'chat'>(response) });
      const work = (hasItsForm(call, response) ?? Promise.resolve(true)).then(async (fit) => {
        if (!fit) return;
        onAnswer?.(response);
        if (era === this.#era) await this.#write(question, vector, text, ttlMs);
      });
      call.context.waitUntil(work);
    };
    if (!reply.stream) keep((reply as PlainReply<'chat'>).response);
    else return transform(reply, () => recordStream<'chat'>(call, false, keep, () => undefined));
    return reply;
  }

  /** Removes everything with this beginning. */
  async invalidate(prefix: string): Promise<void> {
    this.#era++;
    await this.#store.invalidate({ prefix });
    await this.#index.clear(prefix);
  }

  async #write({ text, bucket }: Question, vector: Float32Array, record: string, ttlMs: number): Promise<void> {
    const id = digest(text);
    const value = JSON.stringify({ question: text, record });
    const outcome = await this.#store.set(keyOf(bucket, id), value, { ttlMs: Math.max(1, Math.ceil(ttlMs)) });
    if (outcome === 'stored') await this.#index.add(bucket, id, vector);
  }

  #formOf(text: string): LexicalForm {
    const known = this.#forms.get(text);
    if (known !== undefined) return known;
    if (this.#forms.size >= FORMS_MAX) this.#forms.clear();
    const form = lexicalForm(text);
    this.#forms.set(text, form);
    return form;
  }
}

function keyOf(bucket: string, id: string): string {
  return bucket + storeKey([id]);
}

function readKept(value: unknown): Pick<Near, 'question' | 'record'> | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const { question, record: text } = JSON.parse(value) as { question?: unknown; record?: unknown };
    const record = typeof text === 'string' ? decodeRecord<'chat'>(text) : undefined;
    if (typeof question !== 'string' || record?.response === undefined) return undefined;
    return { question, record: record as Near['record'] };
  } catch {
    return undefined;
  }
}

/** What fails beside a call is told, and harms nobody. */
export function reportBeside(call: Call, thrown: unknown, stage: string): void {
  const error = toGatewayError(thrown, stage);
  call.context.emit('problem', { stage, code: error.code, error });
}
