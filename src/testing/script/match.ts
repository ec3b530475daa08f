import type { Scope } from '../../core/call.ts';
import { invalidOptions } from '../../core/errors.ts';
import { didYouMean } from '../../operations/problem.ts';
import type { MockCall, MockedOperation } from './mock-call.ts';

/** A text contained in what is matched, in any case; or a regular expression. */
export type TextPattern = string | RegExp;

export interface CallPattern {
  /** The last user message, or the texts to embed. */
  readonly text?: TextPattern;
  readonly system?: TextPattern;
  readonly model?: TextPattern;
  readonly provider?: TextPattern;
  /** Name of the key its target chose. */
  readonly credential?: TextPattern;
  /** Name of a tool the request offers. */
  readonly tool?: TextPattern;
  /** Name of a tool whose result the request brings. */
  readonly toolResult?: TextPattern;
  /** Scope fields that must be equal. */
  readonly scope?: Scope;
  readonly stream?: boolean;
  readonly operation?: MockedOperation;
  readonly predicate?: (call: MockCall) => boolean;
}
export type CallMatcher = TextPattern | CallPattern | ((call: MockCall) => boolean);

const FIELDS = [
  'text',
  'system',
  'model',
  'provider',
  'credential',
  'tool',
  'toolResult',
  'scope',
  'stream',
  'operation',
  'predicate',
];

/** A matcher in normal form. Throws `invalid-options` for a field that does not exist. */
export function patternOf(matcher: CallMatcher): CallPattern {
  if (typeof matcher === 'string' || matcher instanceof RegExp) return { text: matcher };
  if (typeof matcher === 'function') return { predicate: matcher };
  if (typeof matcher !== 'object' || matcher === null) {
    throw invalidOptions('on', 'expected a text, a regular expression, a function or { model, tool, … }.');
  }
  for (const field of Object.keys(matcher)) {
    if (!FIELDS.includes(field))
      throw invalidOptions(`on.${field}`, `is nothing to match on.${didYouMean(field, FIELDS)}`);
  }
  return matcher;
}

/** Why a call does not match, one reason a field; none if it does. Says nothing the tester did not write. */
export function mismatches(pattern: CallPattern, call: MockCall): string[] {
  const reasons: string[] = [];
  const check = (matches: boolean, reason: string): void => void (matches || reasons.push(reason));
  const { text, system, model, provider, credential, tool, toolResult, scope, stream, operation, predicate } = pattern;
  if (operation !== undefined) check(call.operation === operation, `it is ${call.operation}, not ${operation}`);
  if (text !== undefined) check(matchesText(text, call.text), `its text does not match ${shown(text)}`);
  if (system !== undefined) check(matchesText(system, call.system), `its system text does not match ${shown(system)}`);
  if (model !== undefined) check(matchesText(model, call.model), `its model is ${call.model}, not ${shown(model)}`);
  if (provider !== undefined) {
    check(matchesText(provider, call.provider), `its provider is ${call.provider}, not ${shown(provider)}`);
  }
  if (credential !== undefined) {
    check(matchesName(credential, call.credential ?? ''), `its credential is not ${shown(credential)}`);
  }
  if (tool !== undefined) {
    const offered = call.tools.join(', ') || 'none';
    check(
      call.tools.some((name) => matchesName(tool, name)),
      `it offers no tool ${shown(tool)} (offers ${offered})`,
    );
  }
  if (toolResult !== undefined) {
    check(
      call.toolResults.some((name) => matchesName(toolResult, name)),
      `it brings no result of ${shown(toolResult)}`,
    );
  }
  if (stream !== undefined) check(call.stream === stream, stream ? 'it is not streamed' : 'it is streamed');
  for (const [field, value] of Object.entries(scope ?? {})) {
    const actual: unknown = Reflect.get(call.scope, field);
    check(JSON.stringify(actual) === JSON.stringify(value), `its scope.${field} is not ${JSON.stringify(value)}`);
  }
  // A predicate sees only what the fields let through.
  if (predicate !== undefined && reasons.length === 0) check(predicate(call), 'its predicate said no');
  return reasons;
}

/** A pattern as the tester wrote it. */
export function describePattern(pattern: CallPattern): string {
  const { text, ...rest } = pattern;
  const fields = Object.entries(rest).map(([name, value]) => {
    if (typeof value === 'function') return value.name === '' || value.name === 'predicate' ? 'predicate' : value.name;
    return `${name}: ${value instanceof RegExp ? String(value) : JSON.stringify(value)}`;
  });
  if (text !== undefined && fields.length === 0) return shown(text);
  const all = text === undefined ? fields : [`text: ${shown(text)}`, ...fields];
  return all.length === 0 ? 'anything' : `{ ${all.join(', ')} }`;
}

function matchesText(pattern: TextPattern, text: string): boolean {
  if (typeof pattern === 'string') return text.toLowerCase().includes(pattern.toLowerCase());
  // A global or sticky expression remembers where it stopped.
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(text);
}

function matchesName(pattern: TextPattern, name: string): boolean {
  return typeof pattern === 'string' ? pattern === name : matchesText(pattern, name);
}

function shown(pattern: TextPattern): string {
  return typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern);
}
