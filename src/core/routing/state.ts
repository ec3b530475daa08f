import { type Call, type Candidate, OWN_PROVIDER } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Emit } from '../events.ts';
import type { Health } from '../health.ts';
import { LIMITS } from '../limits.ts';
import type { AttemptObserver } from '../middleware.ts';
import { type FactsOf, mergedFacts, type ModelFacts } from '../model-facts.ts';
import { readersFirst } from './affinity.ts';
import { type GroupNode, leavesOf, type RouteNode, type RouteView } from './node.ts';
import { createSpeeds } from './speeds.ts';
import type { RolloutReport, Trial } from './trial.ts';

/** What routing remembers: speeds of targets, turns, trials. One a gateway and all derived from it. */
export interface Routing {
  /** The candidates of a call as its strategy orders them. `dry`: for looking only. */
  order(call: Call, dry?: boolean): readonly Candidate[];
  /** Hears of one attempt: for the attempt face of `route`. */
  observe(call: Call): AttemptObserver | undefined;
  /** Why each strategy of a plan chooses as it does. */
  explain(call: Call): readonly string[];
  /** The provider that gave a response, as far as this process has seen it. */
  holderOf(responseId: string): string | undefined;
  facts(candidate: Candidate): ModelFacts | undefined;
  /** Facts the configuration does not give. */
  useFacts(factsOf: FactsOf): void;
  rollouts(): readonly RolloutReport[];
}

export interface RoutingOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly health: Health;
  readonly emit: Emit;
}

/** Things groups remember; the oldest are forgotten. */
const MEMORIES_MAX = 10_000;

export function createRouting({ clock, random, health, emit }: RoutingOptions): Routing {
  const speeds = createSpeeds(clock, LIMITS.healthTargetsMax);
  const memories = new Map<string, unknown>();
  const trials = new Map<string, Trial>();
  const holders = new Map<string, string>();
  const keepHolder = (responseId: string, provider: string): void => {
    if (holders.size >= MEMORIES_MAX) holders.delete(holders.keys().next().value as string);
    holders.set(responseId, provider);
  };
  let factsOf: FactsOf = () => undefined;
  let facts = new WeakMap<Candidate, { readonly facts: ModelFacts | undefined }>();
  // A wrapped client's candidate is made anew for each call, so that it is known by its id.
  let factsById = new Map<string, { readonly facts: ModelFacts | undefined }>();
  const ownFacts = (candidate: Candidate): ModelFacts | undefined => {
    let known = factsById.get(candidate.id);
    if (known === undefined) {
      if (factsById.size >= MEMORIES_MAX) factsById.clear();
      known = { facts: factsOf(candidate) };
      factsById.set(candidate.id, known);
    }
    return known.facts;
  };
  const view: RouteView = {
    clock,
    random,
    dry: false,
    load: health.load,
    speed: speeds.get,
    facts(candidate) {
      if (candidate[OWN_PROVIDER] !== undefined && candidate.facts === undefined) return ownFacts(candidate);
      let known = facts.get(candidate);
      if (known === undefined) {
        known = { facts: mergedFacts(candidate.facts, factsOf(candidate)) };
        facts.set(candidate, known);
      }
      return known.facts;
    },
    memory: <T>(key: string, create: () => T) => remembered(memories as Map<string, T>, key, create),
    trial: (key, create) => remembered(trials, key, create),
    emit,
  };
  // Looking draws no numbers: what happens next must not depend on whether somebody looked.
  const dryView: RouteView = { ...view, dry: true, random: () => 0.5 };
  return {
    order(call, dry = false) {
      const { strategy, candidates } = call.plan;
      if (strategy === undefined) return readersFirst(candidates, call.request);
      const ordered = candidatesIn(strategy, call, dry ? dryView : view);
      // Somebody on the way may have taken candidates out of the plan.
      const left =
        candidates.length >= shapeOf(strategy).different
          ? ordered
          : ordered.filter(({ id }) => candidates.some((candidate) => candidate.id === id));
      return readersFirst(left, call.request);
    },
    observe(call) {
      const { target, plan, stream } = call;
      if (target === undefined) return undefined;
      // The one that begins now is not yet counted.
      const load = health.load(target.id);
      return {
        commit: ({ firstContentMs }) => speeds.first(target.id, stream, firstContentMs, load),
        end(outcome) {
          if (outcome.status === 'refused') return;
          speeds.end(target.id, stream, outcome, load);
          if (outcome.responseId !== undefined) keepHolder(outcome.responseId, target.provider);
          if (plan.strategy !== undefined)
            tell(plan.strategy, (group) => group.strategy.ended?.(group, call, target, outcome, view));
        },
      };
    },
    explain(call) {
      const lines: string[] = [];
      if (call.plan.strategy !== undefined) {
        tell(call.plan.strategy, (group) => {
          const why = group.strategy.explain?.(group, call, dryView);
          lines.push(`${group.id}: ${group.strategy.name}${why === undefined ? '' : `, ${why}`}`);
        });
      }
      return lines;
    },
    holderOf: (responseId) => holders.get(responseId),
    facts: view.facts,
    useFacts(given) {
      factsOf = given;
      facts = new WeakMap();
      factsById = new Map();
    },
    rollouts: () => [...trials.values()].map(({ report }) => report),
  };
}

/** Walks the tree in the order each group chooses. A target that stands in it twice is tried at its first place. */
function candidatesIn(root: GroupNode, call: Call, view: RouteView): readonly Candidate[] {
  const found: Candidate[] = [];
  const walk = (node: RouteNode): void => {
    if (node.kind === 'target') found.push(node.candidate);
    else for (const member of node.strategy.order(node, call, view)) walk(member);
  };
  walk(root);
  const { repeated } = shapeOf(root);
  if (repeated.size === 0) return found;
  const seen = new Set<string>();
  return found.filter(({ id }) => !repeated.has(id) || (!seen.has(id) && seen.add(id)));
}

interface Shape {
  readonly different: number;
  /** Targets that stand in the tree more than once. */
  readonly repeated: ReadonlySet<string>;
}
const shapes = new WeakMap<GroupNode, Shape>();

function shapeOf(root: GroupNode): Shape {
  let known = shapes.get(root);
  if (known === undefined) {
    const ids = leavesOf(root).map(({ candidate }) => candidate.id);
    const seen = new Set<string>();
    const repeated = new Set(ids.filter((id) => seen.has(id) || !seen.add(id)));
    known = { different: seen.size, repeated };
    shapes.set(root, known);
  }
  return known;
}

function tell(node: RouteNode, each: (group: GroupNode) => void): void {
  if (node.kind === 'target') return;
  each(node);
  for (const member of node.members) tell(member, each);
}

function remembered<T>(map: Map<string, T>, key: string, create: () => T): T {
  let known = map.get(key);
  if (known === undefined) {
    if (map.size >= MEMORIES_MAX) map.delete(map.keys().next().value as string);
    known = create();
    map.set(key, known);
  }
  return known;
}
