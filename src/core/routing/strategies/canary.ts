import type { Call } from '../../call.ts';
import { invalidOptions } from '../../errors.ts';
import { aFunction, aText, anything, checkOptions, fraction, type OptionRule, wholeNumber } from '../../options.ts';
import { callKey, pathProblem } from '../call-value.ts';
import { usageUsd } from '../expected-cost.ts';
import { hashText, mixHashes, unitOf } from '../hash.ts';
import { type GroupNode, leavesOf, type RouteView, type Strategy } from '../node.ts';
import { createTrial, type RollbackOptions, type Trial } from '../trial.ts';

interface Settings {
  readonly share: number;
  readonly key: string;
  readonly trial: string;
  readonly rollback: RollbackOptions | false;
}

const STABLE = 0;
const CANARY = 1;
const shareOrOff: OptionRule = (value) =>
  value === false || (typeof value === 'number' && value >= 0) ? undefined : 'expected a share like 0.2, or false';
const ROLLBACK: Readonly<Record<string, OptionRule>> = {
  errors: (value) => (typeof value === 'boolean' ? undefined : 'expected true or false'),
  latency: shareOrOff,
  cost: shareOrOff,
  callsMin: wholeNumber(1),
  risk: fraction,
  judge: aFunction,
};

/**
 * A share of the callers gets the new thing, always the same ones; a larger share keeps them. A canary that fails falls
 * back to the stable variant, and one that is measurably worse gets no more calls.
 */
export const canary: Strategy = {
  name: 'canary',
  options: { stable: anything, canary: anything, share: fraction, key: pathProblem, trial: aText, rollback: anything },
  members({ stable, canary: tried }) {
    return [
      { path: '.stable', value: stable },
      { path: '.canary', value: tried },
    ];
  },
  settings({ share, key, trial, rollback }, path): Settings {
    if (share === undefined)
      throw invalidOptions(`${path}.share`, "expected the canary's share of callers, like 0.05.");
    if (rollback !== undefined && rollback !== false) checkOptions(`${path}.rollback`, rollback as object, ROLLBACK);
    return {
      share: share as number,
      key: (key as string | undefined) ?? 'scope.user',
      trial: (trial as string | undefined) ?? '',
      rollback: (rollback as RollbackOptions | false | undefined) ?? {},
    };
  },
  order(group, call, view) {
    const stable = group.members.filter(({ slot }) => slot === STABLE);
    const tried = group.members.filter(({ slot }) => slot === CANARY);
    if (tried.length === 0 || stable.length === 0) return group.members;
    if (trialOf(group, view).report.state === 'rolled-back' || !isChosen(group, call, view)) return stable;
    return [...tried, ...stable];
  },
  ended(group, call, target, outcome, view) {
    const member = group.members.find((one) => leavesOf(one).some(({ candidate }) => candidate.id === target.id));
    if (member === undefined || group.members.length < 2) return;
    const trial = trialOf(group, view);
    const usd = outcome.usage === undefined ? undefined : usageUsd(target, outcome.usage, view);
    const reason = trial.add(member.slot === CANARY ? 'canary' : 'stable', outcome, usd);
    if (reason !== undefined) view.emit('rollout', { ...trial.report, state: 'rolled-back', reason, callId: call.id });
  },
  comparesPrices({ settings }) {
    const { rollback } = settings as Settings;
    return rollback !== false && typeof rollback.cost === 'number';
  },
  explain(group, call, view) {
    const { report } = trialOf(group, view);
    const { share } = group.settings as Settings;
    if (report.state === 'rolled-back') return `rolled back: ${report.reason}`;
    return `${share * 100} % canary, ${isChosen(group, call, view) ? 'this caller is one' : 'this caller is not'}`;
  },
};

/** Below the share; callers that were below a smaller share stay. Without a key, by chance. */
function isChosen(group: GroupNode, call: Call, view: RouteView): boolean {
  const { share, key, trial } = group.settings as Settings;
  const caller = callKey(call, key);
  const place =
    caller === undefined ? view.random() : unitOf(mixHashes(hashText(caller), hashText(`${group.id} ${trial}`)));
  return place < share;
}

/** A trial belongs to what is tried: another canary, or another name for the trial, begins anew. */
function trialOf(group: GroupNode, view: RouteView): Trial {
  const { trial, rollback } = group.settings as Settings;
  const tried = group.members.find(({ slot }) => slot === CANARY);
  const ids =
    tried === undefined
      ? ''
      : leavesOf(tried)
          .map(({ candidate }) => candidate.id)
          .join(' ');
  return view.trial(`${group.id} ${trial} ${ids}`, () => createTrial(group.id, rollback, view.random));
}
