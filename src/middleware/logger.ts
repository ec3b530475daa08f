import { type CallFacts, settleFacts } from '../core/call-facts.ts';
import type { Call } from '../core/call.ts';
import { costKey } from '../core/cost.ts';
import { GatewayError, invalidOptions, toGatewayError } from '../core/errors.ts';
import { LOG_TEXT_LENGTH_MAX, logSafe } from '../core/log-safe.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { END_MS_MAX, OpenCalls } from '../core/open-calls.ts';
import { aFunction, checkOptions, type OptionRule, oneOf, wholeNumber } from '../core/options.ts';
import { settle } from '../core/reply.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Anything with pino's signature: an object of fields, then a message. */
export interface PinoLike {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  debug?(fields: object, message: string): void;
  trace?(fields: object, message: string): void;
}

/** One call, as it is logged. */
export interface LogRecord {
  readonly callId: string;
  readonly operation: string;
  /** As the caller named it. */
  readonly model: string;
  readonly status: CallFacts['status'];
  readonly durationMs: number;
  readonly stream: boolean;
  /** Where each attempt went and how it ended, like `openai/gpt-5-mini failed overloaded`. */
  readonly attempts: readonly string[];
  readonly [field: string]: unknown;
}

export interface LoggerOptions {
  /** Where lines go: a logger with pino's signature, or a function that gets each line as JSON text. Required. */
  readonly logger: PinoLike | ((line: string, level: LogLevel) => void);
  /** The level of calls that did not fail. @defaultValue 'info' */
  readonly level?: LogLevel;
  /**
   * Prompts and answers in the line: `masked` is what `redact` publishes, and nothing without it.
   *
   * @defaultValue 'off'
   */
  readonly content?: 'off' | 'masked' | 'raw';
  /** Longest text of one field, in characters. @defaultValue 2_000 */
  readonly textLengthMax?: number;
  /** More fields for every line, like `{ service: 'shop' }` made from the call. Not from its content. */
  readonly fields?: (call: { readonly id: string; readonly scope: Call['scope'] }) => Readonly<Record<string, unknown>>;
}

const aLogger: OptionRule = (value) =>
  typeof value === 'function' ||
  ['info', 'warn', 'error'].every((level) => typeof Reflect.get(Object(value), level) === 'function')
    ? undefined
    : 'expected a logger with info, warn and error, like pino(), or a function (line) => …';

/**
 * Writes one structured line per call: who, what, where, how long, what it used and how it ended. No text of a field
 * can begin a line of its own.
 *
 * Stands outermost, outside `meter`, so that the cost is in the line.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * createGateway({ providers, use: [logger({ logger: pino() }), meter(), retry(), route()] })
 */
export function logger(options: LoggerOptions): Middleware {
  checkOptions('logger', options, {
    logger: aLogger,
    level: oneOf('trace', 'debug', 'info', 'warn', 'error'),
    content: oneOf('off', 'masked', 'raw'),
    textLengthMax: wholeNumber(1),
    fields: aFunction,
  });
  if (options.logger === undefined) throw invalidOptions('logger.logger', 'give a logger, like pino().');
  const { level = 'info', content = 'off' } = options;
  const target = isPinoLike(options.logger) ? options.logger : linesTo(options.logger);
  const open = new OpenCalls<(facts: CallFacts) => void>();
  let host: Host | undefined;
  const write = (call: Call, facts: CallFacts, began: number, raw: unknown): void => {
    try {
      const view = content === 'raw' ? raw : content === 'masked' ? call.context.content : undefined;
      const record = {
        ...recordOf(call, facts, began),
        ...options.fields?.({ id: call.id, scope: call.scope }),
        ...(view !== undefined && { content: view }),
      };
      const safe = logSafe(record, options.textLengthMax ?? LOG_TEXT_LENGTH_MAX) as LogRecord;
      const at = levelOf(facts, level);
      const method = target[at] === undefined ? 'info' : at;
      target[method]?.(safe, `${call.operation} ${facts.status}`);
    } catch (thrown) {
      const error = toGatewayError(thrown, 'logger');
      call.context.emit('problem', { stage: 'logger', code: error.code, error });
    }
  };
  return defineMiddleware(
    {
      name: 'logger',
      ...(content !== 'off' && { content: { reads: true } }),
      start: (given) => {
        host = given;
      },
      async close() {
        if (host !== undefined) await open.emptied(host.clock, END_MS_MAX);
        const error = new GatewayError('closed', 'The gateway was closed while the call was running.');
        for (const end of open.values()) end({ status: 'cancelled', error });
      },
    },
    async function logger(call, next) {
      if (open.get(call.id) !== undefined) return next(call);
      const began = call.context.clock.monotonic();
      let raw: { request?: unknown; response?: unknown } = { request: call.request };
      const end = (facts: CallFacts): void => {
        if (open.delete(call.id)) write(call, facts, began, raw);
      };
      open.set(call.id, end);
      const reply = next(call);
      if (content !== 'raw') return settleFacts(reply, { end });
      const kept = settle(reply, call.operation, ({ response }) => {
        raw = { ...raw, response };
      });
      return settleFacts(kept, { end });
    },
  );
}

/** Some loggers are functions with methods; what has the methods is used by them. */
function isPinoLike(given: LoggerOptions['logger']): given is PinoLike {
  return typeof Reflect.get(given, 'info') === 'function';
}

function recordOf(call: Call, facts: CallFacts, began: number): LogRecord {
  const { context, scope } = call;
  const { target, usage, error, cached } = facts;
  const cost = context.get(costKey);
  return {
    callId: call.id,
    operation: call.operation,
    model: call.request.model,
    status: facts.status,
    durationMs: context.clock.monotonic() - began,
    stream: call.stream,
    attempts: context.attempts.map(({ targetId, outcome, code }) =>
      code === undefined ? `${targetId} ${outcome}` : `${targetId} ${outcome} ${code}`,
    ),
    ...(call.parentId !== undefined && { parentId: call.parentId }),
    ...(call.purpose !== undefined && { purpose: call.purpose }),
    ...(Object.keys(scope).length > 0 && { scope }),
    ...(target !== undefined && { target: `${target.provider}/${target.model}` }),
    ...(usage !== undefined && { input: usage.input, output: usage.output, usageQuality: usage.quality }),
    ...(cost !== null && { costNanoUsd: cost.spentNanoUsd, savedNanoUsd: cost.savedNanoUsd }),
    ...(cached !== undefined && { cached: cached.kind }),
    ...(facts.finish !== undefined && { finish: facts.finish }),
    ...(error !== undefined && { error: error.code, message: error.message }),
    ...(error?.requestId !== undefined && { requestId: error.requestId }),
  };
}

/** What the caller did wrong is a warning; what went wrong elsewhere is an error. */
function levelOf({ status, error }: CallFacts, level: LogLevel): LogLevel {
  if (status !== 'failed') return level;
  return error?.fault === 'caller' || error?.fault === 'request' ? 'warn' : 'error';
}

/** A function as a logger: it gets one line of JSON. */
function linesTo(write: (line: string, level: LogLevel) => void): PinoLike {
  const at =
    (level: LogLevel) =>
    (fields: object, message: string): void =>
      write(JSON.stringify({ level, msg: message, ...fields }), level);
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
