import type { OperationName } from '../operations/index.ts';
import { traitsOf } from '../operations/traits-table.ts';
import { trackAttempt } from './attempt-tracker.ts';
import { type Call, type Candidate, type Next, OWN_PROVIDER, plainTarget, type Reply } from './call.ts';
import { GatewayError, abortedError, toGatewayError } from './errors.ts';
import { firstContent } from './first-content.ts';
import type { Health } from './health.ts';
import type { AttemptObserver, MiddlewareInfo } from './middleware.ts';
import type { Provider } from './provider.ts';
import { withoutForeignSeals } from './routing/affinity.ts';
import { raceSignal } from './signals.ts';
import { wordlessKey } from './standby.ts';
import type { MaybePromise } from './store.ts';
import { networkError } from './transport.ts';

export interface DispatchOptions {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly health: Health;
  /** Orders the candidates of a call that comes without a target. @defaultValue the order of its plan */
  readonly order?: (call: Call) => readonly Candidate[];
}

/** The innermost handler: asks the attempt faces, makes one attempt, and tells everybody how it ended, once. */
export function createDispatch(options: DispatchOptions): Next {
  return async function dispatch<K extends OperationName>(call: Call<K>): Promise<Reply<K>> {
    const { context, plan } = call;
    const target = call.target ?? (options.order?.(call as Call) ?? plan.candidates)[0];
    if (target === undefined) throw noTarget(call);
    const provider = target[OWN_PROVIDER] ?? options.providers.get(target.provider);
    const handler = provider?.handlers[call.operation] as ((call: Call<K>) => Promise<Reply<K>>) | undefined;
    if (handler === undefined) throw unsupportedBy(call, target);
    if (call.signal.aborted) throw abortedError(call.signal.reason, { target: plainTarget(target) });
    if (context.attemptsLeft() === 0) throw outOfAttempts(call, target);
    const attempted = numbered({ ...withoutForeignSeals(call, target), target });
    const asked = askFaces(attempted as Call, [], 0);
    const observers = asked instanceof Promise ? await asked : asked;
    const tracker = trackAttempt(attempted, target, observers, options.health.enter(target.id));
    try {
      const reply = await interruptible(handler, attempted);
      if (!reply.stream) {
        tracker.responded(reply.response, reply.wire?.headers);
        return reply;
      }
      const traits = traitsOf(call.operation as K).stream;
      if (traits === undefined)
        throw new GatewayError('internal', `Operation ${call.operation} does not stream.`, { target });
      const wordless = await firstContent(reply, traits.isContent, target);
      if (wordless !== undefined) context.set(wordlessKey, wordless);
      tracker.committed(reply.wire?.headers);
      reply.events.append(tracker.layer() as never);
      return reply;
    } catch (error) {
      throw tracker.failed(failureOf(error, attempted, target));
    }
  };
}

/** Settles when the handler does, or at once when the call's signal aborts: a handler that ignores it cannot hang us. */
function interruptible<K extends OperationName>(
  handler: (call: Call<K>) => Promise<Reply<K>>,
  call: Call<K>,
): Promise<Reply<K>> {
  const { signal } = call;
  return new Promise((resolve, reject) => {
    let left = false;
    const onAbort = (): void => {
      left = true;
      reject(signal.reason);
    };
    // It may have aborted while the faces were asked.
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    started(handler, call).then(
      (reply) => {
        signal.removeEventListener('abort', onAbort);
        // Nobody is waiting any more: the reply must not hold its connection.
        if (left && reply.stream) reply.events.cancel(signal.reason);
        resolve(reply);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}

/** A handler that throws at once rejects instead. */
function started<K extends OperationName>(
  handler: (call: Call<K>) => Promise<Reply<K>>,
  call: Call<K>,
): Promise<Reply<K>> {
  try {
    return Promise.resolve(handler(call));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The attempt counts from here on, while its faces are asked, so that attempts in parallel keep the limit. */
function numbered<K extends OperationName>(call: Call<K>): Call<K> {
  const { ledger } = call.context;
  const number = ++ledger.issued;
  ledger.asking++;
  return { ...call, attempt: { id: `${call.id}-${number}`, number } };
}

/**
 * Asks outermost first, and waits only where a face makes it wait. A refusal is told to those already asked, and costs
 * no attempt.
 */
function askFaces(call: Call, observers: AttemptObserver[], from: number): MaybePromise<AttemptObserver[]> {
  const { faces } = call.context;
  for (let index = from; index < faces.length; index++) {
    const face = faces[index] as MiddlewareInfo;
    try {
      const answer = face.attempt?.(call);
      if (answer instanceof Promise) {
        return unlessAborted(answer, call).then(
          (observer) => askFaces(call, observer ? [...observers, observer] : observers, index + 1),
          (error: unknown) => {
            throw refused(call, observers, error, face.name);
          },
        );
      }
      if (answer) observers.push(answer);
    } catch (error) {
      throw refused(call, observers, error, face.name);
    }
  }
  if (call.signal.aborted) throw refused(call, observers, call.signal.reason, 'dispatch');
  call.context.ledger.asking--;
  return observers;
}

type Answer = AttemptObserver | undefined | void;

/** The face's answer, or the abort. An observer that comes after it still hears that there is no attempt. */
async function unlessAborted(answer: Promise<Answer>, call: Call): Promise<Answer> {
  let left = false;
  answer.then(
    (observer) => {
      if (left && observer !== undefined) tellRefused(call, observer, abortedError(call.signal.reason));
    },
    () => undefined,
  );
  try {
    return await raceSignal(answer, call.signal);
  } catch (error) {
    left = true;
    throw error;
  }
}

function refused(call: Call, observers: readonly AttemptObserver[], thrown: unknown, stage: string): GatewayError {
  const { ledger } = call.context;
  ledger.asking--;
  if (ledger.issued === call.attempt?.number) ledger.issued--;
  const facts = call.target === undefined ? {} : { target: plainTarget(call.target) };
  const refusal = call.signal.aborted ? abortedError(call.signal.reason, facts) : toGatewayError(thrown, stage, facts);
  for (const observer of observers) tellRefused(call, observer, refusal);
  return refusal;
}

function tellRefused(call: Call, observer: AttemptObserver, error: GatewayError): void {
  try {
    observer.end({ status: 'refused', error, durationMs: 0, committed: false, billing: 'no' });
  } catch (thrown) {
    const problem = toGatewayError(thrown, 'attempt face');
    call.context.emit('problem', { stage: 'attempt face', code: problem.code, error: problem });
  }
}

function failureOf(error: unknown, call: Call, target: Candidate): GatewayError {
  const failure = networkErrorOrOurs(error, call, target);
  return failure.target === undefined ? failure.with({ target: plainTarget(target) }) : failure;
}

function networkErrorOrOurs(error: unknown, call: Call, target: Candidate): GatewayError {
  if (error instanceof Error && !call.signal.aborted && !(error instanceof TypeError)) {
    return toGatewayError(error, `provider ${target.provider}`);
  }
  return networkError(error, plainTarget(target), call.signal);
}

function noTarget(call: Call): GatewayError {
  const reasons = call.plan.losers.map(({ target, reason }) => `${target}: ${reason}`).join('; ');
  return new GatewayError('no-target', `No target can serve ${call.request.model}. ${reasons}`, {
    attempts: call.context.attempts,
  });
}

function unsupportedBy(call: Call, target: Candidate): GatewayError {
  return new GatewayError('unsupported', `Provider ${target.provider} does not do ${call.operation}.`, {
    target: plainTarget(target),
  });
}

function outOfAttempts(call: Call, target: Candidate): GatewayError {
  const maximum = call.context.ledger.maximum;
  return new GatewayError(
    'limit-exceeded',
    `The call has used its ${maximum} attempts; raise attemptsMax to allow more.`,
    {
      target: plainTarget(target),
      limit: { name: 'attemptsMax', maximum },
      attempts: call.context.attempts,
    },
  );
}
