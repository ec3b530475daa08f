import { type Call, type Candidate, type Loser, OWN_PROVIDER } from './core/call.ts';
import { toGatewayError } from './core/errors.ts';
import { withoutForeignSeals } from './core/routing/affinity.ts';
import { inputTokensOf, outputTokensMaxOf, usdRange, usdRangeText } from './core/routing/expected-cost.ts';
import { standingOf } from './core/walk-failure.ts';
import type { CandidateExplanation, GatewayExplanation } from './gateway-types.ts';
import type { Warning } from './operations/shared.ts';
import type { Runtime } from './runtime.ts';
import { misplaced } from './runtime-checks.ts';

/** What would happen to a call, without making it. */
export function explain(runtime: Runtime, call: Call): GatewayExplanation {
  const { plan } = call;
  const { routing, catalogue } = runtime.shared;
  // What is not there yet: for the next one to ask, and for `complete`.
  const loading: Promise<unknown>[] = [];
  const list = catalogue.load()?.catch(() => undefined);
  if (list !== undefined) loading.push(list);
  const inputTokens = inputTokensOf(call);
  const ordered = routing.order(call, true);
  const candidates = ordered.map((candidate) => ({
    ...candidateOf(runtime, call, candidate, inputTokens),
    ...translationOf(runtime, call, candidate, loading),
  }));
  const left = plan.candidates.filter(({ id }) => !ordered.some((one) => one.id === id));
  const losers: Loser[] = [
    ...plan.losers,
    ...left.map(({ provider, model }) => ({ target: `${provider}/${model}`, reason: 'its strategy leaves it out' })),
  ];
  const infos = runtime.middleware.flatMap(({ info }) => info ?? []);
  const middleware = runtime.middleware.map(({ info, name: own }) => {
    const wrong = info === undefined ? undefined : misplaced(info, infos);
    const name = info?.name ?? (own || 'a function');
    return { name, ...info?.explain?.(call), ...(wrong !== undefined && { misplaced: wrong }) };
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
  return {
    ...explanation,
    toString: () => textOf(call, explanation),
    complete: async () => {
      await Promise.all(loading);
      return explain(runtime, call);
    },
  };
}

/** What the protocol of a target makes of the request. What has to be loaded for it joins `loading`. */
function translationOf(
  runtime: Runtime,
  call: Call,
  target: Candidate,
  loading: Promise<unknown>[],
): Pick<CandidateExplanation, 'warnings' | 'refused'> {
  const provider = target[OWN_PROVIDER] ?? runtime.providers.get(target.provider);
  try {
    const warnings = provider?.translate?.({ ...withoutForeignSeals(call, target), target });
    if (warnings === undefined) return {};
    if (!(warnings instanceof Promise)) return { warnings };
    // What it would fail with is said when it is asked again.
    loading.push(warnings.catch(() => undefined));
    return {};
  } catch (error) {
    return { refused: toGatewayError(error, `provider ${target.provider}`).message };
  }
}

function candidateOf(runtime: Runtime, call: Call, candidate: Candidate, input: number): CandidateExplanation {
  const { routing, health } = runtime.shared;
  const facts = routing.facts(candidate);
  const standing = standingOf(call, candidate, health);
  const most = outputTokensMaxOf(call, facts);
  const cost = usdRange(facts, input, most);
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
  }: Omit<GatewayExplanation, 'toString' | 'complete'>,
): string {
  const asked = `${call.operation} ${call.request.model}${alias === undefined ? '' : ' (alias)'}`;
  return [
    `${asked}, configuration ${revision}, about ${inputTokens} tokens in`,
    target === undefined ? 'goes nowhere: no target is left' : `goes to ${placeOf(target)}`,
    ...strategies.map((line) => `  ${line}`),
    'targets',
    ...candidates.flatMap((one, index) => [
      `  ${index + 1}. ${placeOf(one)}${costText(one)}${waitText(one)}`,
      ...(one.refused === undefined ? [] : [`     would refuse it: ${one.refused}`]),
      ...(one.warnings ?? []).map(warningText),
    ]),
    ...losers.map((loser) => `  -  ${loser.target}: ${loser.reason}`),
    'middleware',
    ...middleware.map(({ name, summary, misplaced: wrong }) =>
      [`  ${name}`, ...[summary, wrong].filter((said) => said !== undefined)].join(': '),
    ),
  ].join('\n');
}

function placeOf({ provider, model, region, credential, version }: Candidate): string {
  const where = `${region === undefined ? '' : ` in ${region}`}${credential === undefined ? '' : ` with key ${credential}`}`;
  return `${provider}/${model}${where}${version === undefined ? '' : ` (${version})`}`;
}

function costText({ cost, outputTokensMax }: CandidateExplanation): string {
  if (cost === undefined) return ', price unknown';
  return `, ${usdRangeText(cost)} (up to ${outputTokensMax} tokens out)`;
}

function warningText({ code, path, feature, message }: Warning): string {
  const where = path ?? feature;
  return `     ${code}${where === undefined ? '' : ` ${where}`}: ${message}`;
}

function waitText({ waitMs, benched }: CandidateExplanation): string {
  return waitMs === 0 ? '' : `, benched for ${Math.ceil(waitMs)} ms (${benched})`;
}
