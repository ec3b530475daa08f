import type { Call, Candidate, Loser } from './core/call.ts';
import { inputTokensOf } from './core/routing/expected-cost.ts';
import { standingOf } from './core/walk-failure.ts';
import type { CandidateExplanation, GatewayExplanation } from './gateway-types.ts';
import type { ChatRequest } from './operations/chat.ts';
import type { Runtime } from './runtime.ts';

/** Tokens of an answer whose length nothing limits and nobody has measured. */
const OUTPUT_TOKENS_MAX = 4_096;

/** What would happen to a call, without making it. */
export function explain(runtime: Runtime, call: Call): GatewayExplanation {
  const { plan } = call;
  const { routing, catalogue } = runtime.shared;
  // For the next one to ask, if the list is not there yet.
  void catalogue.load()?.catch(() => undefined);
  const inputTokens = inputTokensOf(call);
  const ordered = routing.order(call, true);
  const candidates = ordered.map((candidate) => candidateOf(runtime, call, candidate, inputTokens));
  const left = plan.candidates.filter(({ id }) => !ordered.some((one) => one.id === id));
  const losers: Loser[] = [
    ...plan.losers,
    ...left.map(({ provider, model }) => ({ target: `${provider}/${model}`, reason: 'its strategy leaves it out' })),
  ];
  const middleware = runtime.middleware.map((layer) => {
    const name = layer.info?.name ?? (layer.name || 'a function');
    return { name, ...layer.info?.explain?.(call) };
  });
  const target = candidates.find(({ waitMs }) => waitMs === 0) ?? candidates[0];
  const strategies = routing.explain(call);
  const explanation = {
    ...(plan.alias !== undefined && { alias: plan.alias }),
    ...(target !== undefined && { target }),
    candidates,
    losers,
    strategies,
    inputTokens,
    revision: plan.revision,
    middleware,
  };
  return { ...explanation, toString: () => textOf(call, explanation) };
}

function candidateOf(runtime: Runtime, call: Call, candidate: Candidate, input: number): CandidateExplanation {
  const { routing, health } = runtime.shared;
  const facts = routing.facts(candidate);
  const standing = standingOf(call, candidate, health);
  const { maxTokens } = call.request as Partial<ChatRequest>;
  const most = call.operation === 'chat' ? (maxTokens ?? facts?.limits?.output ?? OUTPUT_TOKENS_MAX) : 0;
  const price = facts?.price;
  const cost = price && {
    lowUsd: (input * (price.cacheRead ?? price.input)) / 1e6,
    highUsd: (input * price.input + most * price.output) / 1e6,
  };
  return {
    ...candidate,
    waitMs: standing.state === 'waiting' ? standing.waitMs : 0,
    ...(standing.state === 'waiting' && { benched: standing.reason }),
    outputTokensMax: most,
    ...(cost !== undefined && { cost }),
  };
}

function textOf(
  call: Call,
  {
    alias,
    target,
    candidates,
    losers,
    strategies,
    inputTokens,
    revision,
    middleware,
  }: Omit<GatewayExplanation, 'toString'>,
): string {
  const asked = `${call.operation} ${call.request.model}${alias === undefined ? '' : ' (alias)'}`;
  return [
    `${asked}, configuration ${revision}, about ${inputTokens} tokens in`,
    target === undefined ? 'goes nowhere: no target is left' : `goes to ${placeOf(target)}`,
    ...strategies.map((line) => `  ${line}`),
    'targets',
    ...candidates.map((one, index) => `  ${index + 1}. ${placeOf(one)}${costText(one)}${waitText(one)}`),
    ...losers.map((loser) => `  -  ${loser.target}: ${loser.reason}`),
    'middleware',
    ...middleware.map(({ name, summary }) => `  ${name}${summary === undefined ? '' : `: ${summary}`}`),
  ].join('\n');
}

function placeOf({ provider, model, region, credential, version }: Candidate): string {
  const where = `${region === undefined ? '' : ` in ${region}`}${credential === undefined ? '' : ` with key ${credential}`}`;
  return `${provider}/${model}${where}${version === undefined ? '' : ` (${version})`}`;
}

function costText({ cost, outputTokensMax }: CandidateExplanation): string {
  if (cost === undefined) return ', price unknown';
  return `, $${usd(cost.lowUsd)} to $${usd(cost.highUsd)} (up to ${outputTokensMax} tokens out)`;
}

function usd(value: number): string {
  return value === 0 ? '0' : value < 0.01 ? value.toPrecision(2) : value.toFixed(4);
}

function waitText({ waitMs, benched }: CandidateExplanation): string {
  return waitMs === 0 ? '' : `, benched for ${Math.ceil(waitMs)} ms (${benched})`;
}
