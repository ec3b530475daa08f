import { nearestEffort } from '../../core/effort-levels.ts';
import type { Effort } from '../../operations/chat.ts';
import type { Json } from '../../operations/shared.ts';
import type { Encoding } from './request.ts';

/** OpenAI takes 0 to 20 alternatives a token. */
const TOP_LOGPROBS_MAX = 20;
const TEMPERATURE_MAX = 2;

/** Output limit, sampling, stop, seed, alternatives, reasoning and verbosity. */
export function encodeSampling(encoding: Encoding): Record<string, Json> {
  const { request, quirks, facts, verbatim, reasoningModel } = encoding;
  const body: Record<string, Json> = { ...encodeReasoning(encoding) };
  if (request.maxTokens !== undefined) {
    // A reasoning model refuses the old name, whatever the application wrote for another model.
    const wrote = verbatim || !reasoningModel ? facts?.maxTokensField : undefined;
    body[wrote ?? quirks.maxTokensField ?? 'max_completion_tokens'] = request.maxTokens;
  }
  if (request.stop !== undefined) {
    body['stop'] =
      facts?.stopIsString === true && request.stop.length === 1 ? (request.stop[0] as string) : request.stop;
  }
  if (request.seed !== undefined) body[facts?.seedField ?? quirks.seedField ?? 'seed'] = request.seed;
  if (request.n !== undefined) body['n'] = request.n;
  if (request.verbosity !== undefined) body['verbosity'] = request.verbosity;
  encodeTuning(encoding, body);
  encodeExtras(encoding, body);
  return body;
}

/** What reasoning models refuse unless they are told not to reason. */
function encodeTuning({ request, verbatim, reasoningModel, losses }: Encoding, body: Record<string, Json>): void {
  const refused = reasoningModel && !verbatim && request.reasoning?.effort !== 'none';
  const put = (path: string, name: string, value: Json | undefined) => {
    if (value === undefined) return;
    if (refused) losses.warn('unsupported', path, path, 'Reasoning models do not take this parameter; it is left out.');
    else body[name] = value;
  };
  let { temperature } = request;
  if (temperature !== undefined && temperature > TEMPERATURE_MAX && !verbatim) {
    losses.warn('clamped', 'temperature', 'temperature', `The highest temperature is ${TEMPERATURE_MAX}.`);
    temperature = TEMPERATURE_MAX;
  }
  put('temperature', 'temperature', temperature);
  put('topP', 'top_p', request.topP);
  put('presencePenalty', 'presence_penalty', request.presencePenalty);
  put('frequencyPenalty', 'frequency_penalty', request.frequencyPenalty);
  put('logitBias', 'logit_bias', request.logitBias);
  const { logprobs } = request;
  if (logprobs === undefined) return;
  put('logprobs', 'logprobs', logprobs !== false);
  if (typeof logprobs !== 'number' || refused) return;
  if (logprobs > TOP_LOGPROBS_MAX && !verbatim) {
    losses.warn('clamped', 'logprobs', 'logprobs', `At most ${TOP_LOGPROBS_MAX} alternatives a token.`);
  }
  body['top_logprobs'] = verbatim ? logprobs : Math.min(logprobs, TOP_LOGPROBS_MAX);
}

/** Parameters of open-model servers, which OpenAI itself does not know. */
function encodeExtras({ request, quirks, facts, losses }: Encoding, body: Record<string, Json>): void {
  const extras = [
    ['topK', 'top_k'],
    ['minP', 'min_p'],
    ['repetitionPenalty', 'repetition_penalty'],
  ] as const;
  for (const [path, name] of extras) {
    const value = request[path];
    if (value === undefined) continue;
    if (quirks.sampling?.includes(name) === true || facts?.extraSampling?.includes(name) === true) body[name] = value;
    else losses.warn('unsupported', path, path, `This server does not take ${name}; it is left out.`);
  }
}

function encodeReasoning({ request, verbatim, quirks, environment, losses }: Encoding): Record<string, Json> {
  const { reasoning } = request;
  if (reasoning === undefined) return {};
  if (reasoning.show !== undefined && reasoning.show !== 'none') {
    losses.warn('unsupported', 'reasoning.show', 'reasoning', 'This protocol cannot be asked to show reasoning.');
  }
  let { effort } = reasoning;
  if (effort === undefined && reasoning.budgetTokens !== undefined) {
    effort = effortOfBudget(reasoning.budgetTokens);
    losses.warn('degraded', 'reasoning.budgetTokens', 'reasoning', `The budget is sent as an effort: ${effort}.`);
  } else if (reasoning.budgetTokens !== undefined) {
    losses.warn('unsupported', 'reasoning.budgetTokens', 'reasoning', 'Only the effort is sent, not the budget.');
  }
  if (effort === undefined) return {};
  const known = quirks.reasoningModel === true || !/^(gpt-(3|4)|chatgpt-)/.test(environment.target.model);
  if (!known && !verbatim) {
    // Not to reason is what such a model does anyway.
    if (effort !== 'none') losses.warn('unsupported', 'reasoning.effort', 'reasoning', 'This model does not reason.');
    return {};
  }
  const taken = verbatim ? effort : nearestEffort(effort, environment.target.model);
  if (taken !== effort) {
    losses.warn('clamped', 'reasoning.effort', 'reasoning', `This model takes no effort ${effort}; ${taken} is sent.`);
  }
  return { reasoning_effort: taken };
}

/** The budgets other protocols use for each effort, read backwards. */
function effortOfBudget(budget: number): Effort {
  if (budget <= 0) return 'none';
  if (budget <= 1_024) return 'minimal';
  if (budget <= 4_096) return 'low';
  if (budget <= 12_288) return 'medium';
  return budget <= 24_576 ? 'high' : 'xhigh';
}
