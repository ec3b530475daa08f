import { invalidOptions } from '../../errors.ts';
import { byScore } from '../by-score.ts';
import { callKey, pathProblem } from '../call-value.ts';
import { hashText, mixHashes, unitOf } from '../hash.ts';
import type { Strategy } from '../node.ts';
import { weighted } from './weighted.ts';

/**
 * The same target for the same key, by rendezvous hashing: a target that comes or goes moves only its own share of the
 * keys. The provider's prompt cache stays warm. Calls without the key are spread by weight.
 */
export const sticky: Strategy = {
  name: 'sticky',
  options: { key: pathProblem },
  settings({ key }, path) {
    if (key === undefined)
      throw invalidOptions(`${path}.key`, 'sticky needs the path of its key, like "scope.session".');
    return key;
  },
  order(group, call, view) {
    const key = callKey(call, group.settings as string);
    if (key === undefined) return weighted.order(group, call, view);
    const hash = hashText(key);
    return byScore(
      group.members,
      group.members.map((member) => -Math.log(unitOf(mixHashes(hash, member.hash))) / member.weight),
    );
  },
};
