import { invalidOptions } from '../../errors.ts';
import { aList, anObject, anything } from '../../options.ts';
import { type Condition, compileCondition } from '../condition.ts';
import type { Strategy } from '../node.ts';

interface Rule {
  readonly when: unknown;
  readonly use: unknown;
}

/**
 * The first rule that holds says where a call goes, and only there; without one, `otherwise`. A rule's `when` is JSON
 * or a function of the call.
 */
export const rules: Strategy = {
  name: 'rules',
  options: { rules: aList, otherwise: anything },
  members({ rules: list, otherwise }) {
    const members = (list as readonly Rule[]).map((rule, index) => ({ path: `.rules[${index}].use`, value: rule.use }));
    return otherwise === undefined ? members : [...members, { path: '.otherwise', value: otherwise }];
  },
  settings({ rules: list }, path): readonly Condition[] {
    if (list === undefined)
      throw invalidOptions(`${path}.rules`, 'rules needs a list like [{ when: {…}, use: "alias" }].');
    return (list as readonly unknown[]).map((rule, index) => {
      const at = `${path}.rules[${index}]`;
      if (anObject(rule) !== undefined) throw invalidOptions(at, 'expected { when, use }.');
      for (const name of Object.keys(rule as object)) {
        if (name !== 'when' && name !== 'use') throw invalidOptions(`${at}.${name}`, 'a rule has only when and use.');
      }
      const { when, use } = rule as Rule;
      if (use === undefined) throw invalidOptions(`${at}.use`, 'expected where the call goes.');
      return compileCondition(when, `${at}.when`);
    });
  },
  order({ members, settings }, call) {
    const conditions = settings as readonly Condition[];
    const slot = conditions.findIndex((condition) => condition(call));
    // `otherwise` stands after the last rule.
    const chosen = members.find((member) => member.slot === (slot === -1 ? conditions.length : slot));
    return chosen === undefined ? [] : [chosen];
  },
  explain({ settings }, call) {
    const index = (settings as readonly Condition[]).findIndex((condition) => condition(call));
    return index === -1 ? 'no rule holds' : `rule ${index + 1} holds`;
  },
};
