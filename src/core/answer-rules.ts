import type { Choice } from '../operations/chat.ts';
import type { OperationName, Operations } from '../operations/index.ts';
import { traitsOf } from '../operations/traits-table.ts';
import type { Call } from './call.ts';
import { outputOf, wantsOutput } from './structured-output.ts';

/**
 * Why a call's answer must not be shared with another call; `undefined` if it may be. What a provider does while it
 * answers (searching, calling a remote server, writing into a conversation it keeps) does not happen on a replay.
 */
export function unsharable(call: Call, insists = false): string | undefined {
  if (call.operation === 'raw') return 'the operation is not understood';
  if (call.raw === true) return "the provider's own body was asked for";
  if (!isChat(call) || insists) return undefined;
  const { conversation, background, tools } = call.request;
  if (conversation?.id !== undefined) return 'the provider keeps the conversation';
  if (background === true) return 'the answer is made in the background';
  const run = tools?.some(({ type }) => type === 'hosted' || type === 'mcp');
  return run === true ? 'a tool is run by the provider' : undefined;
}

/** Whether sampling is asked for as deterministic at every candidate. An absent temperature is not 0. */
export function isDeterministic(call: Call): boolean {
  if (!isChat(call)) return call.operation === 'embed';
  const { temperature } = call.request;
  return call.plan.candidates.every(({ overrides }) => (overrides?.request?.['temperature'] ?? temperature) === 0);
}

/** Whether an answer is whole: ended well, every alternative of it. */
export function isWhole<K extends OperationName>(call: Call<K>, response: Operations[K]['response']): boolean {
  const { isComplete } = traitsOf<K>(call.operation);
  if (!isComplete(response)) return false;
  const { choices } = response as { readonly choices?: readonly Choice[] };
  return choices === undefined || choices.every((choice) => isComplete({ ...response, ...choice }));
}

/** Whether it has the form that was asked for; `undefined` where none was, so that nothing has to be awaited. */
export function hasItsForm<K extends OperationName>(
  call: Call<K>,
  response: Operations[K]['response'],
): Promise<boolean> | undefined {
  if (!isChat(call) || !wantsOutput(call)) return undefined;
  return outputOf(call, response as Operations['chat']['response']).then(
    () => true,
    () => false,
  );
}

function isChat(call: Call): call is Call<'chat'> {
  return call.operation === 'chat';
}
