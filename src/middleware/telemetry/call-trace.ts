import type { CallFacts } from '../../core/call-facts.ts';
import type { Call } from '../../core/call.ts';
import { costKey } from '../../core/cost.ts';
import type { AttemptRecord } from '../../core/errors.ts';
import { type Attributes, isReceived, requestAttributes, responseAttributes } from '../../core/genai-attributes.ts';
import {
  ATTRIBUTE,
  DETAILS_EVENT,
  operationName,
  POSTERN,
  PROFILES,
  providerName,
  type Semconv,
} from '../../core/genai-conventions.ts';
import { boundedJson, type GenAiContent, genAiContent } from '../../core/genai-messages.ts';
import type { AttemptOutcome } from '../../core/middleware.ts';
import type { Provider } from '../../core/provider.ts';
import { type ServerAddress, serverOf } from '../../core/server-address.ts';
import type { Target } from '../../operations/shared.ts';
import { redactionsKey } from '../../core/redactions.ts';
import type { OtelSpan, OtelTracer, Registered } from './api.ts';
import type { Instruments } from './instruments.ts';

export interface TraceSettings {
  readonly semconv: Semconv;
  readonly capture: 'off' | 'span' | 'event' | 'both';
  readonly contentCharactersMax: number;
  readonly scope: readonly string[];
  /** Where their requests go is on spans and metrics. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** Whether a store of answers is in the stack: then an answer that is not from it was a miss. */
  readonly hasCache: boolean;
}

const CLIENT = 2;
const ERROR = 2;

/** One call as OpenTelemetry sees it: one span, and the metrics that are due at its end. */
export class CallTrace {
  readonly span: OtelSpan | undefined;
  readonly instruments: Instruments | undefined;
  /** What the caller and the model wrote, where content is captured unmasked. */
  raw: { request?: unknown; response?: unknown } | undefined;
  readonly call: Call;
  readonly #settings: TraceSettings;
  readonly #registered: Registered;
  readonly #attributes: Attributes;
  readonly #began: number;
  readonly #running = new Map<string, Call>();
  #repliedAt: number | undefined;

  constructor(
    call: Call,
    settings: TraceSettings,
    registered: Registered,
    tracer: OtelTracer | undefined,
    instruments: Instruments | undefined,
  ) {
    this.call = call;
    this.#settings = settings;
    this.#registered = registered;
    this.instruments = instruments;
    this.#began = call.context.clock.monotonic();
    const { semconv } = settings;
    this.#attributes =
      tracer === undefined
        ? {}
        : requestAttributes(call, semconv, PROFILES[semconv], this.#server(call.target ?? call.plan.candidates[0]));
    if (tracer === undefined) return;
    this.#attributes[POSTERN.callId] = call.id;
    this.#attributes[POSTERN.route] = call.request.model;
    for (const field of settings.scope) {
      const value: unknown = Reflect.get(call.scope, field);
      if (typeof value === 'string') this.#attributes[POSTERN.scope + field] = value;
    }
    const name = `${operationName(call.operation)} ${this.#attributes[ATTRIBUTE.requestModel]}`;
    this.span = tracer.startSpan(name, { kind: CLIENT, attributes: this.#attributes });
  }

  attemptBegan(call: Call): void {
    this.#running.set(attemptId(call), call);
  }

  attemptEnded(call: Call, outcome: AttemptOutcome): void {
    this.#running.delete(attemptId(call));
    this.#event(call, outcome.status, {
      [POSTERN.attemptDuration]: outcome.durationMs / 1000,
      ...(outcome.model !== undefined && { [ATTRIBUTE.responseModel]: outcome.model }),
      ...(outcome.error !== undefined && { [ATTRIBUTE.errorType]: outcome.error.code }),
      ...(outcome.error?.status !== undefined && { [POSTERN.httpStatus]: outcome.error.status }),
      ...(isReceived(outcome.usage) && {
        [ATTRIBUTE.inputTokens]: outcome.usage.input,
        [ATTRIBUTE.outputTokens]: outcome.usage.output,
      }),
    });
  }

  /** The reply is there, or the failure. */
  replied(): void {
    this.#repliedAt ??= this.call.context.clock.monotonic();
  }

  /** Milliseconds from the beginning to the reply. */
  get repliedMs(): number {
    return (this.#repliedAt ?? this.call.context.clock.monotonic()) - this.#began;
  }

  end(facts: CallFacts): void {
    const { clock } = this.call.context;
    this.replied();
    this.instruments?.call(this.call, facts, clock.monotonic() - this.#began, this.#overheadMs());
    const { span } = this;
    if (span === undefined) return;
    // Whose end nobody waits for: the loser of a race, a shadow.
    for (const call of this.#running.values()) this.#event(call, 'running', {});
    const captured = this.#settings.capture === 'off' ? undefined : this.#content();
    const attributes = this.#endAttributes(facts);
    if (span.isRecording()) {
      if (captured !== undefined && this.#settings.capture !== 'event') {
        for (const [name, messages] of Object.entries(captured)) {
          attributes[name] = boundedJson(messages, this.#settings.contentCharactersMax);
        }
      }
      span.setAttributes(attributes);
      const model = attributes[ATTRIBUTE.requestModel];
      if (model !== undefined && model !== this.#attributes[ATTRIBUTE.requestModel]) {
        span.updateName(`${operationName(this.call.operation)} ${model}`);
      }
      if (facts.status === 'failed') span.setStatus({ code: ERROR, message: facts.error?.code ?? 'internal' });
    }
    if (captured !== undefined && this.#settings.capture !== 'span') {
      const details = { ...this.#attributes, ...attributes, ...captured };
      this.#registered.within(span, () => this.#registered.log(DETAILS_EVENT, details));
    }
    span.end();
  }

  #server(target: Target | undefined): ServerAddress | undefined {
    return serverOf(this.#settings.providers, this.call, target);
  }

  #endAttributes(facts: CallFacts): Attributes {
    const { context, stream } = this.call;
    const { semconv, hasCache } = this.#settings;
    const { cached, error } = facts;
    const attributes = responseAttributes(this.call, facts, semconv, PROFILES[semconv], this.#server(facts.target));
    if (stream && facts.model !== undefined) attributes[ATTRIBUTE.timeToFirstChunk] = this.repliedMs / 1000;
    attributes[POSTERN.status] = facts.status;
    attributes[POSTERN.attempts] = context.attempts.length;
    if (cached !== undefined) attributes[POSTERN.cache] = cached.kind;
    else if (hasCache) attributes[POSTERN.cache] = 'miss';
    if (cached?.similarity !== undefined) attributes[POSTERN.similarity] = cached.similarity;
    const spent = context.get(costKey)?.spentNanoUsd;
    if (spent !== undefined && spent !== null) attributes[POSTERN.cost] = Number(spent) / 1e9;
    const [first] = context.attempts;
    if (facts.status === 'completed' && first !== undefined && !isAt(first, facts)) {
      attributes[POSTERN.fallbackFrom] = first.targetId;
    }
    if (error?.code === 'budget-exceeded' && error.limit !== undefined) {
      attributes[POSTERN.budgetScope] = error.limit.name;
    }
    if (error?.code === 'guardrail-blocked') attributes[POSTERN.guardrail] = 'blocked';
    const redactions = Object.values(context.get(redactionsKey)).reduce((sum, count) => sum + count, 0);
    if (redactions > 0) attributes[POSTERN.redactions] = redactions;
    return attributes;
  }

  #event(call: Call, status: string, more: Attributes): void {
    const { target } = call;
    this.span?.addEvent(POSTERN.attemptEvent, {
      [POSTERN.attemptNumber]: call.attempt?.number ?? 1,
      [POSTERN.attemptStatus]: status,
      [ATTRIBUTE.provider]: providerName(target?.provider ?? 'unknown', this.#settings.semconv),
      [ATTRIBUTE.requestModel]: target?.model ?? call.request.model,
      ...(call.purpose !== undefined && { [POSTERN.attemptPurpose]: call.purpose }),
      ...more,
    });
  }

  #content(): GenAiContent | undefined {
    const view = this.raw ?? this.call.context.content;
    return view === undefined ? undefined : genAiContent(view);
  }

  /** Time before the first attempt and after the last one had its answer; what lies between is retries and waiting. */
  #overheadMs(): number {
    const { attempts, startedAt } = this.call.context;
    const [first] = attempts;
    if (first === undefined) return this.repliedMs;
    const answeredMs = Math.max(
      ...attempts.map(({ startedMs, firstContentMs, durationMs }) => {
        return startedMs + (firstContentMs ?? durationMs ?? 0);
      }),
    );
    const beganMs = this.#began - startedAt;
    return Math.max(0, first.startedMs - beganMs + (this.repliedMs + beganMs - answeredMs));
  }
}

function attemptId(call: Call): string {
  return call.attempt?.id ?? call.id;
}

function isAt({ target }: AttemptRecord, facts: CallFacts): boolean {
  return (
    facts.target === undefined || (target.provider === facts.target.provider && target.model === facts.target.model)
  );
}
