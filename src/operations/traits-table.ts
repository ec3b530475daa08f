import { chatTraits } from './chat-traits.ts';
import { embedTraits, rawTraits } from './embed-traits.ts';
import type { OperationName, Operations } from './index.ts';
import type { OperationTraits } from './traits.ts';

type TraitsOf<K extends OperationName> = OperationTraits<
  Operations[K]['request'],
  Operations[K]['response'],
  Operations[K]['event']
>;

const table = new Map<string, OperationTraits<never, never, never>>([
  ['chat', chatTraits as OperationTraits<never, never, never>],
  ['embed', embedTraits as OperationTraits<never, never, never>],
  ['raw', rawTraits as OperationTraits<never, never, never>],
]);

/** The traits of an operation. */
export function traitsOf<K extends OperationName>(operation: K): TraitsOf<K> {
  const traits = table.get(operation);
  if (traits === undefined)
    throw new TypeError(`Operation ${operation} has no traits; define them with defineOperation.`);
  return traits as unknown as TraitsOf<K>;
}

/** Adds an operation of one's own, beside its three types in {@link Operations}. */
export function defineOperation<K extends OperationName>(name: K, traits: TraitsOf<K>): void {
  if (table.has(name)) throw new TypeError(`Operation ${name} is defined already.`);
  table.set(name, traits as unknown as OperationTraits<never, never, never>);
}
