import type { Embedding, EmbedResponse } from '../operations/embed.ts';
import { traitsOf } from '../operations/traits-table.ts';
import type { AnswerCache, CacheTask } from './answer-cache.ts';
import { slotKey, tagsOf } from './answer-keeping.ts';
import { type AnswerRecord, keptResponse, producerOf } from './answer-record.ts';
import { isWhole } from './answer-rules.ts';
import { inputKeys } from './cache-key.ts';
import type { Call, Next, PlainReply, Reply } from './call.ts';
import { replyWith } from './reply.ts';

type Known = readonly (AnswerRecord<'embed'> | undefined)[];

/**
 * Answers an embedding call input by input: what is known is taken, what is new is asked for once, and vectors of two
 * producers never meet in one answer.
 */
export async function embedFromParts(
  cache: AnswerCache,
  task: CacheTask<'embed'>,
  next: Next,
): Promise<Reply<'embed'>> {
  const { call, mode } = task;
  const keys = inputKeys(cache.settings.ring, call);
  const { input } = call.request;
  const known = cache.reads(mode) ? await readAll(cache, call, keys) : keys.map(() => undefined);
  const missing = [...new Set(input.filter((_text, index) => known[index] === undefined))];
  const { emit, clock } = call.context;
  const kept = known.filter((record) => record !== undefined);
  const counts = { kept: kept.length, asked: missing.length };
  const outcome = missing.length === 0 ? 'hit' : 'miss';
  emit('cache', { callId: call.id, by: 'cache', outcome, inputs: counts });
  if (missing.length === 0) {
    const ageMs = Math.max(...kept.map(({ at }) => Math.max(0, clock.now() - at)));
    const { target } = kept[0] as AnswerRecord;
    return replyWith(call, assembled(call, known), target, { kind: 'exact', ageMs });
  }
  const whole = missing.length === input.length;
  const asked = whole ? call : { ...call, request: { ...call.request, input: missing } };
  let reply = (await next(asked)) as PlainReply<'embed'>;
  const fresh = writeAll(cache, task, missing, reply);
  if (whole) return reply;
  const producer = kept[0]?.producer;
  if (fresh === undefined || (producer !== undefined && producerOf(call, reply)?.id !== producer)) {
    // What is kept comes from elsewhere: another model's vectors mean other things. The extra ask is owed an attempt.
    const { ledger } = call.context;
    ledger.maximum = Math.max(ledger.maximum, ledger.records.length + 1);
    reply = (await next(call)) as PlainReply<'embed'>;
    writeAll(cache, task, input, reply);
    return reply;
  }
  const merged = input.map((text, index) => known[index] ?? fresh.get(text));
  const { wire: _wire, ...rest } = reply;
  return { ...rest, response: { ...assembled(call, merged), ...factsOf(reply.response) } };
}

/** What is kept of one producer: the first candidate that has any. */
async function readAll(cache: AnswerCache, call: Call<'embed'>, keys: readonly string[]): Promise<Known> {
  const records = await Promise.all(keys.map((key) => cache.store.read(call, slotKey(key, 0))));
  const usable = records.map((record) => {
    if (record?.response === undefined || !cache.mayServe(call, record.producer)) return undefined;
    const ageMs = call.context.clock.now() - record.at;
    return ageMs < record.ttlMs ? (record as AnswerRecord<'embed'>) : undefined;
  });
  const { id } = call.plan.candidates.find(({ id }) => usable.some((record) => record?.producer === id)) ?? {};
  return usable.map((record) => (record?.producer === id ? record : undefined));
}

/** Keeps every vector for itself. Gives them by text; `undefined` if the answer is not what was asked for. */
function writeAll(
  cache: AnswerCache,
  task: CacheTask<'embed'>,
  input: readonly string[],
  reply: PlainReply<'embed'>,
): Map<string, AnswerRecord<'embed'>> | undefined {
  const { call, control, era, mode } = task;
  const { response, target } = reply;
  const vectors = new Map(response.embeddings.map((embedding) => [embedding.index, embedding]));
  const whole = isWhole(call, response) && vectors.size === input.length && input.every((_, at) => vectors.has(at));
  if (!whole) return undefined;
  const producer = producerOf(call, reply)?.id ?? '';
  const may = cache.writes(mode) && reply.cached === undefined && cache.mayServe(call, producer);
  const keys = inputKeys(cache.settings.ring, { ...call, request: { ...call.request, input } });
  const tags = tagsOf(cache, task);
  const ttlMs = control.ttlMs ?? cache.settings.ttlMs;
  const fresh = new Map<string, AnswerRecord<'embed'>>();
  for (const [index, text] of input.entries()) {
    const record: AnswerRecord<'embed'> = {
      version: 1,
      at: call.context.clock.now(),
      ttlMs,
      producer,
      target,
      response: { ...keptResponse<'embed'>(response), embeddings: [vectors.get(index) as Embedding] },
    };
    fresh.set(text, record);
    const key = slotKey(keys[index] as string, 0);
    if (may) void cache.store.write(call, key, record, undefined, era, { keepMs: ttlMs, tags });
  }
  return fresh;
}

/** No failure is ever kept for one input. */
type Whole = AnswerRecord<'embed'> & { readonly response: EmbedResponse };

/** The response whose vectors stand in the records, in the order of the inputs. */
function assembled(call: Call<'embed'>, records: Known): EmbedResponse {
  const embeddings = records.map((record, index): Embedding => {
    const [embedding] = (record as Whole).response.embeddings;
    return { ...(embedding as Embedding), index };
  });
  const { response: first } = records[0] as Whole;
  const usage = traitsOf('embed').estimate(call.request, undefined, first.model);
  return { ...first, embeddings, usage };
}

/** What is true of the exchange that was made for the new inputs alone. */
function factsOf(response: EmbedResponse): Partial<EmbedResponse> {
  const { embeddings: _embeddings, ...facts } = response;
  return facts;
}
