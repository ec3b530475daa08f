import type { OperationName, Operations } from '../operations/index.ts';
import type { AnswerCache, CacheTask } from './answer-cache.ts';
import { type AnswerRecord, keptResponse, producerOf } from './answer-record.ts';
import { hasItsForm, isWhole } from './answer-rules.ts';
import { tagKey, tagKeys } from './cache-key.ts';
import { type PlainReply, plainTarget, type Reply } from './call.ts';
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
  const { call } = task;
  const producer = producerOf(call, reply);
  const ours = cache.writes(task.mode) && reply.cached === undefined;
  if (!ours || producer === undefined || !cache.mayServe(call, producer.id)) {
    done?.();
    return reply;
  }
  let written: MaybePromise<void>;
  const keep = (response: Operations[K]['response'], rhythm?: Rhythm): void => {
    if (!isWhole(call, response)) return;
    // A stream may have been taken up by another target since.
    const server = producerOf(call, reply);
    if (server === undefined || !cache.mayServe(call, server.id)) return;
    written = writeRecord(cache, task, {
      version: 1,
      at: call.context.clock.now(),
      ttlMs: task.control.ttlMs ?? cache.settings.ttlMs,
      producer: server.id,
      target: reply.target,
      response: keptResponse(response),
      ...(rhythm !== undefined && { rhythm }),
    });
  };
  const close = (): void => {
    if (written instanceof Promise) void written.then(done);
    else done?.();
  };
  if (reply.stream) return transform(reply, () => recordStream<K>(call, cache.settings.recordedRhythm, keep, close));
  keep((reply as PlainReply<K>).response);
  close();
  return reply;
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
  const tags = tagKeys(ring, tenant, control.tags ?? []);
  if (control.key !== undefined) tags.push(tagKey(ring, ownKeyTag(control.key), tenant ?? null));
  return tags;
}

/** A caller's own key as a tag: it may stand for several entries, one a partition. */
export function ownKeyTag(key: string): string {
  return `key:${key}`;
}
