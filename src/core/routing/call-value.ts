import type { ChatRequest } from '../../operations/chat.ts';
import type { Call } from '../call.ts';
import { needsOf } from './needs.ts';
import { inputTokensOf } from './expected-cost.ts';

/** What a rule or a key may read of a call. */
const ROOTS = [
  'scope',
  'request',
  'metadata',
  'purpose',
  'operation',
  'priority',
  'stream',
  'model',
  'inputTokens',
  'needs',
] as const;

/** What is wrong with a path, or `undefined`. */
export function pathProblem(path: unknown): string | undefined {
  if (typeof path !== 'string' || path === '') return 'expected a path into the call, like "scope.tenant"';
  const root = path.split('.')[0] as string;
  if ((ROOTS as readonly string[]).includes(root)) return undefined;
  return `expected a path that begins with ${ROOTS.join(', ')}`;
}

/** The value at a path of a call, like `scope.tags.team` or `request.metadata.tier`. */
export function callValue(call: Call, path: string): unknown {
  const names = namesOf(path);
  let value = rootOf(call, names[0] as string);
  for (let index = 1; index < names.length; index++) {
    const name = names[index] as string;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

const split = new Map<string, readonly string[]>();
/** Paths come from configurations, of which a process sees few. */
const SPLIT_MAX = 1_000;

function namesOf(path: string): readonly string[] {
  let names = split.get(path);
  if (names === undefined) {
    if (split.size >= SPLIT_MAX) split.clear();
    names = path.split('.');
    split.set(path, names);
  }
  return names;
}

function rootOf(call: Call, root: string): unknown {
  switch (root) {
    case 'scope':
      return call.scope;
    case 'request':
      return call.request;
    case 'metadata':
      return (call.request as Partial<ChatRequest>).metadata;
    case 'purpose':
      return call.purpose;
    case 'operation':
      return call.operation;
    case 'priority':
      return call.priority;
    case 'stream':
      return call.stream;
    case 'model':
      return call.request.model;
    case 'inputTokens':
      return inputTokensOf(call);
    case 'needs':
      return needsOf(call);
    default:
      return undefined;
  }
}

/** The value as a key, or `undefined` where the call has none. */
export function callKey(call: Call, path: string): string | undefined {
  const value = callValue(call, path);
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
