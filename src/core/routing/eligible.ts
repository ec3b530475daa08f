import type { ChatRequest } from '../../operations/chat.ts';
import { type Call, type Candidate, type Loser, OWN_PROVIDER, type Plan } from '../call.ts';
import type { ModelFacts } from '../model-facts.ts';
import type { Provider } from '../provider.ts';
import { withTree } from '../registry-tree.ts';
import { inputTokensOf } from './expected-cost.ts';
import { needsOf } from './needs.ts';
import { mapCandidates } from './node.ts';
import { type RegionLimits, regionAllowed } from './region.ts';

/** What decides which candidates of a plan a call may use. */
export interface Eligibility {
  readonly call: Pick<Call, 'operation' | 'request' | 'strict'>;
  readonly regions: RegionLimits;
  readonly providers: ReadonlyMap<string, Provider>;
  facts(candidate: Candidate): ModelFacts | undefined;
  /** The provider that keeps a stored response. */
  holderOf(responseId: string): string | undefined;
}

/**
 * A plan without the candidates that cannot or may not serve a call, each a loser with its reason. What is unknown
 * never excludes, with one exception: under a region limit a target without a region is refused.
 */
export function eligible(plan: Plan, rules: Eligibility): Plan {
  let out: Map<string, string> | undefined;
  let tooSmall: Candidate[] | undefined;
  for (const candidate of plan.candidates) {
    const facts = rules.facts(candidate);
    const why =
      refusedRegion(candidate, rules) ??
      heldElsewhere(candidate, rules) ??
      missingCapability(facts, rules) ??
      lostParameter(candidate, facts, rules);
    if (why !== undefined) (out ??= new Map()).set(candidate.id, why);
    else if (windowOf(facts) < tokensWanted(facts, rules)) (tooSmall ??= []).push(candidate);
  }
  // Nearly every call may go anywhere: nothing is made for it.
  if (out === undefined && tooSmall === undefined) return plan;
  out ??= new Map();
  if (tooSmall !== undefined) keepLargest(plan, tooSmall, out, rules);
  return without(plan, out);
}

/** The plan without some candidates, each a loser with its reason. */
export function without(plan: Plan, out: ReadonlyMap<string, string>): Plan {
  if (out.size === 0) return plan;
  const losers: Loser[] = [...plan.losers];
  for (const { id, provider, model } of plan.candidates) {
    const reason = out.get(id);
    if (reason !== undefined) losers.push({ target: `${provider}/${model}`, reason });
  }
  const { strategy, ...rest } = plan;
  const keep = (candidate: Candidate): Candidate | undefined => (out.has(candidate.id) ? undefined : candidate);
  if (strategy === undefined) return { ...rest, candidates: plan.candidates.filter(({ id }) => !out.has(id)), losers };
  return { ...rest, ...withTree(mapCandidates(strategy, keep)), losers };
}

/** Only what may be asked at all: for sub-calls, whose request is another. */
export function withinRegions(plan: Plan, rules: Eligibility): Plan {
  const out = new Map<string, string>();
  for (const candidate of plan.candidates) {
    const why = refusedRegion(candidate, rules);
    if (why !== undefined) out.set(candidate.id, why);
  }
  return without(plan, out);
}

function refusedRegion(candidate: Candidate, { regions, providers }: Eligibility): string | undefined {
  if (regions.length === 0) return undefined;
  const { region } = candidate;
  const provider = candidate[OWN_PROVIDER] ?? providers.get(candidate.provider);
  const places = region === undefined ? provider?.regions : [region];
  if (regionAllowed(places, regions)) return undefined;
  const allowed = regions.map((list) => list.join(' or ')).join(', and in ');
  return `its data must stay in ${allowed}; this target is in ${places?.join(', ') ?? 'no region it names'}`;
}

/** A conversation that continues a stored response can only go on where it is stored. */
function heldElsewhere({ provider }: Candidate, { call, holderOf }: Eligibility): string | undefined {
  const previous = (call.request as Partial<ChatRequest>).conversation?.previousResponseId;
  const holder = previous === undefined ? undefined : holderOf(previous);
  if (holder === undefined || holder === provider) return undefined;
  return `the response it continues is kept by ${holder}`;
}

function missingCapability(facts: ModelFacts | undefined, { call }: Eligibility): string | undefined {
  if (facts?.capabilities === undefined && facts?.inputs === undefined) return undefined;
  for (const need of needsOf(call)) {
    if (facts.capabilities !== undefined) {
      if (!facts.capabilities.includes(need)) return `it cannot do ${need}`;
    } else if (MEDIA.has(need) && facts.inputs?.includes(need) === false) return `it takes no ${need}`;
  }
  return undefined;
}
/** What price lists tell of reliably. */
const MEDIA = new Set<string>(['image', 'audio', 'video']);

/** Under `strict` nothing may be dropped or clamped. */
function lostParameter(
  { unsupported }: Candidate,
  facts: ModelFacts | undefined,
  { call }: Eligibility,
): string | undefined {
  if (call.strict !== true) return undefined;
  const lost = unsupported?.find((field) => (call.request as unknown as Record<string, unknown>)[field] !== undefined);
  if (lost !== undefined) return `it would lose ${lost}, and the call is strict`;
  const { maxTokens } = call.request as Partial<ChatRequest>;
  const longest = facts?.limits?.output;
  if (maxTokens === undefined || longest === undefined || maxTokens <= longest) return undefined;
  return `it would clamp maxTokens from ${maxTokens} to ${longest}, and the call is strict`;
}

function windowOf(facts: ModelFacts | undefined): number {
  return facts?.limits?.context ?? Number.POSITIVE_INFINITY;
}

/** Estimated only where there is a window to compare with. */
function tokensWanted(facts: ModelFacts | undefined, { call }: Eligibility): number {
  if (facts?.limits?.context === undefined) return 0;
  const { maxTokens = 0 } = call.request as Partial<ChatRequest>;
  return inputTokensOf(call as Call) + maxTokens;
}

/** If none is large enough the largest are asked all the same: an estimate may be wrong, and `fallback` knows the error. */
function keepLargest(plan: Plan, tooSmall: readonly Candidate[], out: Map<string, string>, rules: Eligibility): void {
  const largest = Math.max(...tooSmall.map((candidate) => windowOf(rules.facts(candidate))));
  const someFit = plan.candidates.length > out.size + tooSmall.length;
  for (const candidate of tooSmall) {
    const facts = rules.facts(candidate);
    const window = windowOf(facts);
    if (someFit || window < largest) {
      out.set(candidate.id, `about ${tokensWanted(facts, rules)} tokens do not fit its window of ${window}`);
    }
  }
}
