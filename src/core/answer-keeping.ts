import type { OperationName, Operations } from '../operations/index.ts';
import type { Target } from '../operations/shared.ts';
import type { AnswerCache, CacheTask } from './answer-cache.ts';
import { type AnswerRecord, keptResponse, producerOf } from './answer-record.ts';
import { hasItsForm, isWhole } from './answer-rules.ts';
import { tagKey, tagKeys } from './cache-key.ts';
import { type Call, type Candidate, type PlainReply, plainTarget, type Reply } from './call.ts';
import type { GatewayError } from './errors.ts';
import { transform } from './reply.ts';
import type { MaybePromise } from './store.ts';
import { recordStream, type Rhythm } from './stream-recording.ts';

/** Answers of one key stand side by side, so that each is as likely as another. */
export function slotKey(base: string, slot: number): string {
  return `${base}${slot}`;
}

/** Keeps a reply when, and only if, it has come whole; then calls `done`, whatever became of it. */
export function keepReply<K extends OperationName>(
  cache: AnswerCache,
  task: CacheTask<K>,
  reply: Reply<K>,
  done?: () => unknown,
): Reply<K> {
  const { call, mode } = task;
  const producer = cache.writes(mode) && reply.cached === undefined ? servable(cache, call, reply) : undefined;
  if (producer === undefined) {
    done?.();
    return reply;
  }
  if (!reply.stream) {
    after(keepWhole(cache, task, reply, producer, (reply as PlainReply<K>).response), done);
    return reply;
  }
  let written: MaybePromise<void>;
  const keep = (response: Operations[K]['response'], rhythm?: Rhythm): void => {
    // It may have been taken up by another target since.
    const server = servable(cache, call, reply);
    if (server !== undefined) written = keepWhole(cache, task, reply, server, response, rhythm);
  };
  return transform(reply, () => recordStream<K>(call, cache.settings.recordedRhythm, keep, () => after(written, done)));
}

/** The candidate that made a reply, if other calls like this may have it. */
function servable(cache: AnswerCache, call: Call, reply: { readonly target: Target }): Candidate | undefined {
  const producer = producerOf(call, reply);
  return producer !== undefined && cache.mayServe(call, producer.id) ? producer : undefined;
}

function keepWhole<K extends OperationName>(
  cache: AnswerCache,
  task: CacheTask<K>,
  { target }: Reply<K>,
  producer: Candidate,
  response: Operations[K]['response'],
  rhythm?: Rhythm,
): MaybePromise<void> {
  const { call, control } = task;
  if (!isWhole(call, response)) return undefined;
  return writeRecord(cache, task, {
    version: 1,
    at: call.context.clock.now(),
    ttlMs: control.ttlMs ?? cache.settings.ttlMs,
    producer: producer.id,
    target,
    response: keptResponse(response),
    ...(rhythm !== undefined && { rhythm }),
  });
}

function after(written: MaybePromise<void>, done: (() => unknown) | undefined): void {
  if (written instanceof Promise) void written.then(done);
  else done?.();
}

/** A request that a provider refuses for good is remembered only if the options ask for it. */
export async function keepFailure(cache: AnswerCache, task: CacheTask, error: GatewayError): Promise<void> {
  const { failureTtlMs } = cache.settings;
  const { call } = task;
  const lasting = error.source === 'provider' && error.fault === 'request' && !error.retryable;
  const target = call.plan.candidates.find(({ id }) => id === call.context.attempts.at(-1)?.targetId);
  if (failureTtlMs === 0 || !lasting || target === undefined || !cache.writes(task.mode)) return;
  const { code, message, status } = error;
  await writeRecord(cache, task, {
    version: 1,
    at: call.context.clock.now(),
    ttlMs: failureTtlMs,
    producer: target.id,
    target: plainTarget(target),
    failure: { code, message, ...(status !== undefined && { status }) },
  });
}

function writeRecord<K extends OperationName>(
  cache: AnswerCache,
  task: CacheTask<K>,
  record: AnswerRecord,
): MaybePromise<void> {
  const { call, base, slot, era, mode } = task;
  const { staleWhileRevalidateMs, staleIfErrorMs, answers } = cache.settings;
  const response = record.response as Operations[K]['response'] | undefined;
  const fit = response === undefined ? undefined : hasItsForm(call, response);
  const staleMs = response === undefined ? 0 : Math.max(staleWhileRevalidateMs, staleIfErrorMs);
  if (mode === 'refresh') {
    for (let other = 0; other < answers; other++) {
      if (other !== slot) void cache.store.delete(call, slotKey(base, other));
    }
  }
  const options = { keepMs: record.ttlMs + staleMs, tags: tagsOf(cache, task) };
  return cache.store.write(call, slotKey(base, slot), record, fit, era, options);
}

/** What an entry can be invalidated by, beside its key and its tenant. */
export function tagsOf({ settings }: AnswerCache, { call, control }: CacheTask): string[] {
  const { ring } = settings;
  const { tenant } = call.scope;
  if (control.tags === undefined && control.key === undefined) return [];
  const tags = tagKeys(ring, tenant, control.tags ?? []);
  if (control.key !== undefined) tags.push(tagKey(ring, ownKeyTag(control.key), tenant ?? null));
  return tags;
}

/** A caller's own key as a tag: it may stand for several entries, one a partition. */
export function ownKeyTag(key: string): string {
  return `key:${key}`;
}
