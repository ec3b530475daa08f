import { usageOf } from '../operations/usage.ts';
import type { Usage } from '../operations/shared.ts';
import { traitsOf } from '../operations/traits-table.ts';
import type { ChatRequest } from '../operations/chat.ts';
import type { Call, Candidate } from './call.ts';
import type { LimitAmounts, Need } from './limit-reservation.ts';
import type { LimitUnit } from './limit-rule.ts';

export interface NeedOptions {
  /** Estimated input tokens of a chat request. */
  readonly estimate: (request: ChatRequest) => number;
  /** Output tokens of a request that sets no maximum. */
  readonly outputTokens: (target: Candidate) => number;
  readonly inputMargin: number;
  /** Cost of the tokens at a target, in nano-dollars. Throws if it is not known. */
  readonly cost?: (call: Call, target: Candidate, tokens: { input: number; output: number }) => number;
}

/** The worst case of an attempt: the estimate of its input with a margin, and the longest answer it allows. */
export function worstCase(
  options: NeedOptions,
): (call: Call, target: Candidate, units: ReadonlySet<LimitUnit>) => Need {
  // The gate and the first attempt face of a call ask one after the other; more memory costs more than it saves.
  let lastRequest: object | undefined;
  let lastInput = 0;
  const inputOf = (call: Call, target: Candidate): number => {
    if (call.request === lastRequest) return lastInput;
    const estimated =
      (call.operation as string) === 'chat'
        ? options.estimate(call.request as ChatRequest)
        : traitsOf(call.operation).estimate(call.request as never, undefined, target.model).input;
    const input = Math.ceil(estimated * (1 + options.inputMargin));
    lastRequest = call.request;
    lastInput = input;
    return input;
  };
  return (call, target, units) => {
    if (!measuresTokens(units)) return ONE_REQUEST;
    const input = inputOf(call, target);
    const bound = boundOf(call, target);
    const output = bound ?? unboundOf(call, options.outputTokens(target));
    const { cost } = options;
    const costOf = (tokens: { input: number; output: number }): number =>
      cost !== undefined && units.has('costUsd') ? cost(call, target, tokens) : 0;
    return {
      requests: 1,
      concurrent: 1,
      inputTokens: input,
      outputTokens: output,
      tokens: input + output,
      costUsd: costOf({ input, output }),
      outputAssumed: output,
      outputBound: bound !== undefined,
      more: (tokens) => ({
        inputTokens: 0,
        outputTokens: tokens,
        tokens,
        costUsd: costOf({ input: 0, output: tokens }),
      }),
    };
  };
}

const ONE_REQUEST: Need = { requests: 1, concurrent: 1, outputAssumed: 0, outputBound: true, more: () => ({}) };

function measuresTokens(units: ReadonlySet<LimitUnit>): boolean {
  for (const unit of units) if (unit !== 'requests' && unit !== 'concurrent') return true;
  return false;
}

/** Output tokens the request itself allows. */
function boundOf(call: Call, target: Candidate): number | undefined {
  if ((call.operation as string) !== 'chat') return undefined;
  const request = call.request as ChatRequest;
  const replaced = target.overrides?.request as Partial<ChatRequest> | undefined;
  const maxTokens = replaced === undefined || !('maxTokens' in replaced) ? request.maxTokens : replaced.maxTokens;
  const answers = replaced === undefined || !('n' in replaced) ? request.n : replaced.n;
  return maxTokens === undefined ? undefined : maxTokens * Math.max(1, answers ?? 1);
}

function unboundOf(call: Call, outputTokens: number): number {
  if ((call.operation as string) === 'embed') return 0;
  return (call.operation as string) === 'chat'
    ? outputTokens * Math.max(1, (call.request as ChatRequest).n ?? 1)
    : outputTokens;
}

/** What an attempt used, in the units of tokens. */
export function usedTokens(usage: Usage): LimitAmounts {
  return { inputTokens: usage.input, outputTokens: usage.output, tokens: usage.total };
}

/** A usage of so many plain tokens, to be priced. */
export function plainUsage(model: string, tokens: { input: number; output: number }): Usage {
  return usageOf([{ model, role: 'main', tokens }], { quality: 'estimated' });
}
