import assert from 'node:assert/strict';
import type { Anthropic, OpenAI } from '../sdk-types.ts';
import { type Answer, type Seen, upstream } from './upstream.ts';

/** A client class of a vendor's SDK, of whatever version. */
export type ClientClass = new (options: Record<string, unknown>) => object;

/** What a case works with: a client whose upstream answers as the case says. */
export interface Bench<C> {
  readonly client: C;
  /** The client `client` was made from; the same where nothing is wrapped. */
  readonly original: C;
  readonly seen: readonly Seen[];
  readonly Class: ClientClass;
  /** Whether this run is the control, on the client as it is. */
  readonly bare: boolean;
}
export type Setup<C> = (answer: Answer, options?: Record<string, unknown>) => Bench<C>;
export type Cases<C> = Readonly<Record<string, (setup: Setup<C>) => Promise<void>>>;
export type OpenAiCases = Cases<OpenAI>;
export type AnthropicCases = Cases<Anthropic>;

/** Makes clients for cases. */
export function setupOf<C extends object>(Class: ClientClass, wrap?: (client: C) => C): Setup<C> {
  return (answer, options = {}) => {
    const { fetch, seen } = upstream(answer);
    const original = new Class({ apiKey: 'sk-test-0123456789abcdef', maxRetries: 0, fetch, ...options }) as C;
    const client = wrap === undefined ? original : wrap(original);
    return { client, original, seen, Class, bare: wrap === undefined };
  };
}

/** What the SDK threw; it is a failure of the case if it threw nothing. */
export async function thrownBy(work: () => PromiseLike<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work();
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  return assert.fail('expected an error, there was none');
}

/** Whether the error is of the SDK's own class of this name, that class's subclasses included. */
export function assertClass(error: Error, Class: ClientClass, name: string): void {
  const expected: unknown = Reflect.get(Class, name);
  assert.equal(typeof expected, 'function', `the SDK has no ${name}`);
  assert.ok(
    error instanceof (expected as new () => Error),
    `expected ${name}, got ${error.constructor.name}: ${error.message}`,
  );
}

/** Every value of an iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Lets everything that is ready run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
