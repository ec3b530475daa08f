import type { ChatEvent } from '../operations/chat-events.ts';
import type { ChatResponse } from '../operations/chat.ts';
import type { Usage } from '../operations/shared.ts';
import { traitsOf } from '../operations/traits-table.ts';
import { usageOf } from '../operations/usage.ts';
import { type Call, type Candidate, plainTarget } from './call.ts';
import { recordOf } from './attempt-record.ts';
import { type GatewayError, isOurEnd } from './errors.ts';
import type { Ending, Transform } from './event-stream.ts';
import type { AttemptObserver, AttemptOutcome } from './middleware.ts';
import { tellPassedOver } from './trail.ts';

type Headers = Readonly<Record<string, string>>;

/** Follows one attempt and tells its observers the outcome exactly once. */
export interface AttemptTracker {
  /** A plain response came. */
  responded(response: unknown, headers: Headers | undefined): void;
  /** The first content of a stream came. */
  committed(headers: Headers | undefined): void;
  /** It failed before its reply. Gives the error back with what is now known. */
  failed(error: GatewayError): GatewayError;
  /** Watches a committed stream to its end. */
  layer(): Transform<ChatEvent>;
}

export function trackAttempt(
  call: Call,
  target: Candidate,
  observers: readonly AttemptObserver[],
  leave: () => void,
): AttemptTracker {
  const { context } = call;
  const { clock, ledger } = context;
  const began = clock.monotonic();
  const id = call.attempt?.id ?? call.id;
  const previous = context.attempts.at(-1);
  const previousEnd = previous === undefined ? 0 : previous.startedMs + (previous.durationMs ?? 0);
  ledger.records.push({
    id,
    number: call.attempt?.number ?? context.attempts.length + 1,
    target: plainTarget(target),
    targetId: target.id,
    startedMs: began - context.startedAt,
    waitedMs: Math.max(0, began - context.startedAt - previousEnd),
    outcome: 'running',
  });
  if (ledger.passedOver !== undefined) tellPassedOver(ledger, id);
  let ended = false;
  let firstContentMs: number | undefined;
  let headers: Headers | undefined;

  const end = (outcome: Omit<AttemptOutcome, 'durationMs'>): void => {
    if (ended) return;
    ended = true;
    leave();
    const durationMs = clock.monotonic() - began;
    const whole: AttemptOutcome = { ...outcome, durationMs, firstContentMs, headers };
    const record = ledger.update(id, recordOf(whole));
    for (const observer of observers) {
      try {
        observer.end(whole);
      } catch (error) {
        reportProblem(call, error);
      }
    }
    if (record !== undefined) context.emit('attempt', { callId: call.id, attempt: record });
  };
  const commit = (): void => {
    firstContentMs = clock.monotonic() - began;
    for (const observer of observers) {
      try {
        observer.commit?.({ firstContentMs });
      } catch (error) {
        reportProblem(call, error);
      }
    }
  };

  return {
    responded(response, wireHeaders) {
      headers = wireHeaders;
      commit();
      const facts = response as Partial<ChatResponse>;
      end({
        status: 'completed',
        committed: true,
        billing: 'yes',
        usage: reportedOrEstimated(call, target, response),
        model: facts.model,
        responseId: facts.id,
        requestId: facts.requestId,
        finish: facts.finish?.reason,
        tier: facts.tier,
        rateLimit: facts.rateLimit,
      });
    },
    committed(wireHeaders) {
      headers = wireHeaders;
      commit();
    },
    failed(error) {
      const billing = billingOf(error);
      end({
        status: isOurEnd(error) ? 'cancelled' : 'failed',
        error,
        committed: false,
        billing,
        ...(billing !== 'no' && {
          usage: error.usage ?? traitsOf(call.operation).estimate(call.request as never, undefined, target.model),
        }),
      });
      return error;
    },
    layer: () => streamLayer(call, target, end),
  };
}

function reportProblem(call: Call, error: unknown): void {
  call.context.emit('problem', { stage: 'attempt face', code: 'internal', error: error as GatewayError });
}

/** Whether a failed attempt may be on the bill. */
function billingOf(error: GatewayError): 'yes' | 'possible' | 'no' {
  if (isOurEnd(error) || error.code === 'timeout' || error.code === 'stream-interrupted') return 'possible';
  if (error.code === 'bad-response' && error.status !== undefined && error.status < 300) return 'possible';
  return error.ambiguous || error.status === 504 ? 'possible' : 'no';
}

function reportedOrEstimated(call: Call, target: Candidate, response: unknown): Usage {
  const traits = traitsOf(call.operation);
  const usage = traits.usage(response as never);
  return usage.quality === 'unknown' ? traits.estimate(call.request as never, response as never, target.model) : usage;
}

/** Keeps count of what a stream delivered: enough to meter it however it ends. */
function streamLayer(
  call: Call,
  target: Candidate,
  end: (outcome: Omit<AttemptOutcome, 'durationMs'>) => void,
): Transform<ChatEvent> {
  let usage: Usage | undefined;
  let outputTokens = 0;
  let start: Extract<ChatEvent, { type: 'start' }> | undefined;
  let finish: Extract<ChatEvent, { type: 'finish' }> | undefined;
  let tier: string | undefined;
  const facts = (): Partial<AttemptOutcome> => ({
    model: start?.model,
    responseId: start?.id,
    requestId: start?.requestId,
    finish: finish?.finish.reason,
    tier,
  });
  return {
    observes: true,
    event(event, emit) {
      switch (event.type) {
        case 'text-delta':
        case 'reasoning-delta':
        case 'tool-call-delta':
        case 'refusal-delta':
          outputTokens += event.text.length / 4;
          break;
        case 'usage':
          usage = event.usage;
          break;
        case 'start':
          start = event;
          break;
        case 'finish':
          finish ??= event;
          break;
        case 'end':
          tier = event.tier;
          // The answer is whole: what the reader or the connection does after it changes nothing.
          end({
            status: 'completed',
            committed: true,
            billing: 'yes',
            usage: usageAtEnd(call, target, true, usage, outputTokens),
            ...facts(),
          });
          break;
        default:
          break;
      }
      emit(event);
    },
    close(ending: Ending) {
      const failure = ending.status === 'failed' ? (ending.error as GatewayError) : undefined;
      const cancelled = ending.status === 'cancelled' || (failure !== undefined && isOurEnd(failure));
      end({
        status: cancelled ? 'cancelled' : ending.status,
        committed: true,
        billing: 'yes',
        usage: usageAtEnd(call, target, ending.status === 'completed', usage, outputTokens),
        ...(failure !== undefined && { error: failure }),
        ...facts(),
      });
    },
  };
}

/** Reported usage if it is final; else at least the prompt and what was delivered. */
function usageAtEnd(
  call: Call,
  target: Candidate,
  complete: boolean,
  seen: Usage | undefined,
  outputTokens: number,
): Usage {
  if (complete && seen !== undefined && seen.quality !== 'unknown') return seen;
  const estimate = traitsOf(call.operation).estimate(call.request as never, undefined, target.model);
  const output = Math.ceil(outputTokens);
  if (seen === undefined || seen.quality === 'unknown') {
    return usageOf([{ model: target.model, role: 'main', tokens: { input: estimate.input, output } }], {
      quality: 'estimated',
    });
  }
  // The provider told of the prompt and was cut before its last count of the answer.
  const tokens = {
    ...(seen.input === 0 && { input: estimate.input }),
    ...(output > seen.output && { output: output - seen.output }),
  };
  const line = { model: target.model, role: 'main', tokens } as const;
  return usageOf(Object.keys(tokens).length > 0 ? [...seen.lines, line] : seen.lines, { quality: 'partial' });
}
