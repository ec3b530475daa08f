import type { Call, Candidate } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Emit } from '../events.ts';
import type { AttemptOutcome } from '../middleware.ts';
import type { ModelFacts } from '../model-facts.ts';
import type { OptionRule } from '../options.ts';
import type { Speed } from './speeds.ts';
import type { Trial } from './trial.ts';

/** One target in the tree of an alias. */
export interface TargetNode {
  readonly kind: 'target';
  readonly candidate: Candidate;
  readonly weight: number;
  /** Where it stood in its group before any was filtered out. */
  readonly slot: number;
  /** Of its id, for rendezvous hashing. */
  readonly hash: number;
}

/** Members and how to choose among them. */
export interface GroupNode {
  readonly kind: 'group';
  /** Its place in the configuration, like `models.fast`: what its memory is kept by. */
  readonly id: string;
  readonly strategy: Strategy;
  /** The strategy's own options, checked and compiled. */
  readonly settings: unknown;
  readonly members: readonly RouteNode[];
  readonly weight: number;
  readonly slot: number;
  readonly hash: number;
}
export type RouteNode = TargetNode | GroupNode;

/** What a strategy may look at. */
export interface RouteView {
  readonly clock: Clock;
  readonly random: () => number;
  /** Only looking: nothing a strategy remembers may change. */
  readonly dry: boolean;
  /** Calls in flight at a target. */
  load(id: string): number;
  /** How fast a target was lately; `undefined` before its first answer. */
  speed(id: string): Speed | undefined;
  facts(candidate: Candidate): ModelFacts | undefined;
  /** What a group remembers between calls. Survives configuration changes. */
  memory<T>(key: string, create: () => T): T;
  /** A trial of a canary, kept like a memory and listed by `gateway.rollouts()`. */
  trial(key: string, create: () => Trial): Trial;
  readonly emit: Emit;
}

/** A way to choose among the members of a group. */
export interface Strategy {
  readonly name: string;
  /** Its own options beside `targets`. */
  readonly options: Readonly<Record<string, OptionRule>>;
  /** Where its members stand in the configuration; left out: `targets`. */
  members?(
    configuration: Readonly<Record<string, unknown>>,
  ): readonly { readonly path: string; readonly value: unknown }[];
  /** Compiles its options once. Throws `invalid-options`. */
  settings?(configuration: Readonly<Record<string, unknown>>, path: string): unknown;
  /** Members in the order they are tried in; those left out are not tried. */
  order(group: GroupNode, call: Call, view: RouteView): readonly RouteNode[];
  /** An attempt at a target below the group ended. */
  ended?(group: GroupNode, call: Call, target: Candidate, outcome: AttemptOutcome, view: RouteView): void;
  /** Whether it compares prices, so that they have to be known. */
  comparesPrices?(group: GroupNode): boolean;
  /** Why it would choose what it chooses, for `explain`. */
  explain?(group: GroupNode, call: Call, view: RouteView): string | undefined;
}

/** Every target below a node, in configured order. */
export function leavesOf(node: RouteNode): readonly TargetNode[] {
  return node.kind === 'target' ? [node] : node.members.flatMap(leavesOf);
}

/** The tree with every candidate mapped; those mapped to `undefined` leave, and so do groups without members. */
export function mapCandidates(
  node: RouteNode,
  map: (candidate: Candidate) => Candidate | undefined,
): RouteNode | undefined {
  if (node.kind === 'target') {
    const candidate = map(node.candidate);
    if (candidate === node.candidate) return node;
    return candidate === undefined ? undefined : { ...node, candidate };
  }
  const members = node.members.flatMap((member) => mapCandidates(member, map) ?? []);
  if (members.length === 0) return undefined;
  const same =
    members.length === node.members.length && members.every((member, index) => member === node.members[index]);
  return same ? node : { ...node, members };
}

/** The best value of a number over the targets below a node. */
export function lowestOf(node: RouteNode, value: (target: TargetNode) => number): number {
  if (node.kind === 'target') return value(node);
  let lowest = Number.POSITIVE_INFINITY;
  for (const member of node.members) lowest = Math.min(lowest, lowestOf(member, value));
  return lowest;
}

/** The sum of a number over the targets below a node. */
export function sumOf(node: RouteNode, value: (target: TargetNode) => number): number {
  if (node.kind === 'target') return value(node);
  let sum = 0;
  for (const member of node.members) sum += sumOf(member, value);
  return sum;
}
