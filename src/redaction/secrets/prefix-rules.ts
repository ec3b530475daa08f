import { aiRules } from './prefix-rules-ai.ts';
import { codeRules } from './prefix-rules-code.ts';
import { serviceRules } from './prefix-rules-services.ts';
import { entropy, isStandIn } from './entropy.ts';
import type { PrefixDetector } from '../types.ts';

/**
 * A key that names its maker: rule, literal openings (split by spaces), what follows as an expression of classes with
 * fixed or bounded counts, and the least entropy in bits (default 2.6) that tells a key from a row of x.
 */
export type PrefixRule = readonly [rule: string, openings: string, body: string, entropyMin?: number];

const ENTROPY_MIN = 2.6;
/** No key is shorter, opening and body together. */
const KEY_UNITS_MIN = 12;
/** Right after one of these a key does not begin: it is a file name, a longer word or a host. */
const JOINTS = '._-';

function prefixed([entity, openings, body, entropyMin = ENTROPY_MIN]: PrefixRule): PrefixDetector {
  // Only classes with counts after a literal: one start, no alternatives to go back to, so linear.
  const expression = new RegExp(`(?:${body})(?![0-9A-Za-z_])`, 'y');
  return {
    entity,
    group: 'secret',
    score: 0.95,
    prefixes: openings.split(' '),
    runMin: KEY_UNITS_MIN,
    from(text, start, report, prefix) {
      if (start > 0 && JOINTS.includes(text.charAt(start - 1))) return;
      expression.lastIndex = start + prefix.length;
      const match = expression.exec(text);
      if (match === null) return;
      const value = prefix.length > 6 && match[0].length < 8 ? prefix + match[0] : match[0];
      if (entropy(value) >= entropyMin && !isStandIn(prefix + match[0]))
        report(start, start + prefix.length + match[0].length);
    },
  };
}

export const prefixedSecrets: readonly PrefixDetector[] = [...aiRules, ...codeRules, ...serviceRules].map(prefixed);
