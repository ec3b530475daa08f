import { expect } from 'vitest';
import {
  createGateway,
  type GatewayError,
  type GatewayOptions,
  isGatewayError,
  type Middleware,
} from '../../src/index.ts';
import { type FakeClock, fakeClock, mockProvider, type MockProvider } from '../../src/testing/index.ts';

export interface Setup {
  readonly clock: FakeClock;
  /** `a/one`, the first target of the default alias. */
  readonly a: MockProvider;
  /** `b/two`, the second. */
  readonly b: MockProvider;
  readonly gateway: ReturnType<typeof createGateway>;
}

/** A gateway over two mocks: `default` tries a, then b; `single` is a alone, `other` b alone. */
export function setUp(use: readonly Middleware[], options: GatewayOptions = {}): Setup {
  const clock = fakeClock();
  const a = mockProvider({ name: 'a' });
  const b = mockProvider({ name: 'b' });
  const gateway = createGateway({
    providers: [a, b],
    models: { default: ['a/one', 'b/two'], single: 'a/one', other: 'b/two' },
    clock,
    random: () => 0.5,
    use,
    ...options,
  });
  return { clock, a, b, gateway };
}

/** The failure of some work, checked to be ours. */
export async function failureOf(work: Promise<unknown>): Promise<GatewayError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isGatewayError(error)).toBe(true);
  return error as GatewayError;
}

/** Loads what the first fault of a process would load, so that no fake clock has to wait for a real disk. */
export async function warmUp(): Promise<void> {
  const mock = mockProvider();
  mock.otherwise.fail(500);
  await createGateway({ providers: [mock], models: { default: 'mock/x' }, use: [] })
    .chat('x')
    .catch(() => undefined);
}

/** Where each attempt of a call went and how it ended, like `a/one failed`. */
export function trailOf(of: { readonly attempts: readonly { targetId: string; outcome: string }[] }): string[] {
  return of.attempts.map(({ targetId, outcome }) => `${targetId} ${outcome}`);
}
