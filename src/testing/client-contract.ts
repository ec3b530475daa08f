import type { Anthropic, OpenAI } from './sdk-types.ts';
import { anthropicCalls } from './client-contract/anthropic-calls.ts';
import { anthropicStreams } from './client-contract/anthropic-streams.ts';
import { openAiCalls } from './client-contract/openai-calls.ts';
import { openAiFailures } from './client-contract/openai-failures.ts';
import { openAiStreams } from './client-contract/openai-streams.ts';
import { type Cases, type ClientClass, setupOf } from './client-contract/subject.ts';
import type { ContractCase } from './store-contract.ts';

/** A vendor's SDK and what is done to its clients. */
export interface ClientSubject {
  readonly sdk: 'openai' | 'anthropic';
  /** The client class: `OpenAI`, `Anthropic`, of any version. */
  readonly Class: unknown;
  /** Makes the client under test out of a bare one. Left out: the bare client itself, as the control. */
  readonly wrap?: <C extends object>(client: C) => C;
}

/**
 * What an application may expect of a client, wrapped or not. Run it on the bare client too: a case that fails there
 * tells of the SDK, not of the wrapper.
 *
 * @example
 * for (const { name, run } of clientContract({ sdk: 'openai', Class: OpenAI, wrap: gateway.wrap })) it(name, run);
 */
export function clientContract(subject: ClientSubject): readonly ContractCase[] {
  // The class is of any version; the cases use only what all of them have.
  const Class = subject.Class as ClientClass;
  const { wrap } = subject;
  if (subject.sdk === 'openai') {
    return casesOf<OpenAI>({ ...openAiCalls, ...openAiStreams, ...openAiFailures }, Class, wrap);
  }
  return casesOf<Anthropic>({ ...anthropicCalls, ...anthropicStreams }, Class, wrap);
}

function casesOf<C extends object>(cases: Cases<C>, Class: ClientClass, wrap?: (client: C) => C): ContractCase[] {
  return Object.entries(cases).map(([name, check]) => ({ name, run: () => check(setupOf<C>(Class, wrap)) }));
}
