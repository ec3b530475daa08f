import { nearestOf } from '../../core/effort-levels.ts';
import { type ChatRequest, type Effort, EFFORTS } from '../../operations/chat.ts';
import { arrayOf, recordOf } from '../../core/wire-json.ts';
import type { Encoding, Wire } from './encoding.ts';

/** Fewest tokens a thinking budget may have (API reference, 2026-11-22). */
const BUDGET_TOKENS_MIN = 1024;
/** `max_tokens` of models the table does not know and nobody chose one for. */
const UNKNOWN_TOKENS = 4096;
/**
 * Most tokens asked for by default when the answer is not streamed: the vendor's SDK refuses to wait for more
 * (ten minutes at 128,000 tokens an hour).
 */
const WHOLE_TOKENS_MAX = 21_333;

/** Budgets for models that know no effort, in tokens. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};

export interface Thinking {
  readonly maxTokens: number;
  readonly thinking?: Wire;
  readonly effort?: string;
}

/**
 * How much the model may think and write: `max_tokens`, `thinking` and `output_config.effort`. `barred` says why thinking
 * by a budget is not possible, if it is not.
 */
export function encodeThinking(request: ChatRequest, barred: string | undefined, encoding: Encoding): Thinking {
  const { model } = encoding;
  const base = answerTokens(request, encoding);
  const { reasoning } = request;
  if (reasoning === undefined) return { maxTokens: base };
  // A caller of our own door that set an effort but no thinking meant just that.
  if (reasoning.effort !== undefined && reasoning.effort === encoding.facts['effort']) {
    return { maxTokens: base, effort: reasoning.effort };
  }
  if (model.thinking === 'none') {
    if (reasoning.effort !== 'none')
      encoding.lose('unsupported', 'reasoning', 'reasoning', 'this model does not think');
    return { maxTokens: base };
  }
  if (reasoning.effort === 'none') return thinkingOff(base, encoding);
  const byBudget = model.thinking === 'budget' || (model.thinking === 'both' && reasoning.budgetTokens !== undefined);
  return byBudget ? budgetThinking(request, base, barred, encoding) : adaptiveThinking(request, base, encoding);
}

/** Why the model cannot think by a budget here, if it cannot: a forced tool, or a call it is made to believe it did not think about. */
export function barredThinking(forced: boolean, messages: readonly Wire[]): string | undefined {
  if (forced) return 'thinking and a forced tool exclude each other on this model';
  const turn = arrayOf(messages.findLast((message) => message['role'] === 'assistant')?.['content']);
  const [first] = turn.map((block) => recordOf(block)?.['type']);
  const calls = turn.some((block) => recordOf(block)?.['type'] === 'tool_use');
  if (!calls || first === 'thinking' || first === 'redacted_thinking') return undefined;
  return 'the last tool calls have come back without the thinking before them, which this model needs';
}

function answerTokens(request: ChatRequest, encoding: Encoding): number {
  const { model, quirks, environment } = encoding;
  if (request.maxTokens === undefined) {
    if (quirks.maxTokens !== undefined) return quirks.maxTokens;
    if (!model.signed) return UNKNOWN_TOKENS;
    return environment.stream ? model.outputTokensMax : Math.min(model.outputTokensMax, WHOLE_TOKENS_MAX);
  }
  // Only of Claude models the limit is known.
  if (!model.signed || request.maxTokens <= model.outputTokensMax) return request.maxTokens;
  const message = `${request.maxTokens} tokens become ${model.outputTokensMax}, the most this model writes`;
  encoding.lose('clamped', 'maxTokens', 'maxTokens', message);
  return model.outputTokensMax;
}

function thinkingOff(maxTokens: number, encoding: Encoding): Thinking {
  const { model } = encoding;
  if (model.thinkingOff) return { maxTokens, thinking: { type: 'disabled' } };
  encoding.lose('clamped', 'reasoning', 'reasoning.effort', 'this model always thinks; it is asked for the least');
  const least = model.efforts[0];
  return { maxTokens, ...(least !== undefined && { effort: least }) };
}

function adaptiveThinking(request: ChatRequest, maxTokens: number, encoding: Encoding): Thinking {
  const { reasoning = {} } = request;
  let { effort } = reasoning;
  if (reasoning.budgetTokens !== undefined) {
    effort ??= nearestLevel(reasoning.budgetTokens);
    const message = 'this model has no thinking budget; an effort near it is sent';
    encoding.lose('degraded', 'reasoning', 'reasoning.budgetTokens', message);
  }
  const level = effort === undefined || effort === 'none' ? undefined : nearestEffort(effort, encoding);
  return {
    maxTokens,
    thinking: { type: 'adaptive', ...display(request) },
    ...(level !== undefined && { effort: level }),
  };
}

function budgetThinking(request: ChatRequest, base: number, barred: string | undefined, encoding: Encoding): Thinking {
  const { reasoning = {}, maxTokens } = request;
  const { effort } = reasoning;
  const explicit = reasoning.budgetTokens;
  if (explicit === undefined && (effort === undefined || effort === 'none')) {
    // Only how thinking is shown was chosen; it is off on this model, so there is nothing to show.
    return { maxTokens: base };
  }
  if (barred !== undefined) {
    encoding.lose('unsupported', 'reasoning', 'reasoning', barred);
    return { maxTokens: base };
  }
  const asked = explicit ?? BUDGETS[effort as Exclude<Effort, 'none'>];
  let budget = Math.max(BUDGET_TOKENS_MIN, asked);
  // A limit for the visible answer keeps its room: thinking is counted on top. A budget given by the caller inside
  // the limit was meant that way.
  let total = base;
  if (maxTokens !== undefined && (explicit === undefined || explicit >= maxTokens)) total = base + budget;
  if (encoding.model.signed) total = Math.min(total, encoding.model.outputTokensMax);
  if (budget >= total) {
    budget = Math.max(BUDGET_TOKENS_MIN, Math.floor(total / 2));
    total = Math.max(total, budget + 1);
  }
  if (explicit !== undefined && budget !== explicit) {
    encoding.lose('clamped', 'reasoning', 'reasoning.budgetTokens', `a budget of ${explicit} tokens becomes ${budget}`);
  }
  return { maxTokens: total, thinking: { type: 'enabled', budget_tokens: budget, ...display(request) } };
}

function display(request: ChatRequest): Wire {
  const show = request.reasoning?.show;
  if (show === undefined) return {};
  return { display: show === 'none' ? 'omitted' : 'summarized' };
}

function nearestEffort(effort: Exclude<Effort, 'none'>, encoding: Encoding): string | undefined {
  const { efforts } = encoding.model;
  if (efforts.length === 0) return undefined;
  const best = nearestOf(efforts, effort);
  if (best !== effort) {
    encoding.lose('clamped', 'reasoning', 'reasoning.effort', `effort ${effort} becomes ${best} on this model`);
  }
  return best;
}

function nearestLevel(budgetTokens: number): Effort {
  let best: Effort = 'minimal';
  for (const level of EFFORTS) {
    if (level !== 'none' && level !== 'max' && BUDGETS[level] <= budgetTokens) best = level;
  }
  return best === 'minimal' ? 'low' : best;
}
