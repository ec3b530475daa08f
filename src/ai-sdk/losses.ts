import type { Call } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { nativeLosses } from '../core/native-losses.ts';
import type { ChatRequest } from '../operations/chat.ts';
import type { Target, Warning } from '../operations/shared.ts';

/** Options a model of the AI SDK has no word for: tuning and observation, which an answer can do without. */
const LEFT_OUT = [
  ...([
    'minP',
    'repetitionPenalty',
    'logitBias',
    'logprobs',
    'parallelToolCalls',
    'maxToolCalls',
    'verbosity',
  ] as const),
  ...(['prediction', 'cache', 'tier', 'user', 'metadata', 'truncation', 'audio'] as const),
] as const;

/**
 * What of a request a model of the AI SDK cannot be told.
 *
 * @throws GatewayError `unsupported` for what the answer would be wrong without; under `strict` for anything.
 */
export function lossesOf(call: Call<'chat'>, target: Target): readonly Warning[] {
  const { request } = call;
  const refuse = (path: string, what: string): never => {
    const message = `${target.provider}/${target.model} is a model of the AI SDK, which takes no ${what} (${path}).`;
    throw new GatewayError('unsupported', message, { target, field: path });
  };
  refuseMeaning(request, refuse);
  const warnings: Warning[] = [];
  const lose = (path: string): void => {
    if (call.strict === true) refuse(path, path);
    warnings.push({ code: 'unsupported', path, feature: path, message: `The AI SDK has no word for ${path}.` });
  };
  for (const name of LEFT_OUT) {
    const value = request[name];
    if (value !== undefined && value !== false) lose(name);
  }
  if (request.reasoning?.budgetTokens !== undefined) lose('reasoning.budgetTokens');
  if (request.reasoning?.show !== undefined && request.reasoning.show !== 'none') lose('reasoning.show');
  if (call.wire === undefined) return warnings;
  const { warnings: more, refused } = nativeLosses(request, call.wire.protocol, 'ai-sdk');
  if (refused !== undefined) refuse(refused.path, refused.why);
  for (const { path } of more) lose(path as string);
  return warnings;
}

function refuseMeaning(request: ChatRequest, refuse: (path: string, what: string) => never): void {
  for (const [index, tool] of (request.tools ?? []).entries()) {
    if (tool.type !== 'function') refuse(`tools[${index}]`, `${tool.type} tools`);
  }
  const { n, background, conversation, modalities, output } = request;
  if (n !== undefined && n > 1) refuse('n', 'number of answers');
  if (background === true) refuse('background', 'work in the background');
  if (conversation?.id !== undefined || conversation?.previousResponseId !== undefined) {
    refuse('conversation', 'conversation that the provider keeps');
  }
  if (modalities?.some((one) => one !== 'text')) refuse('modalities', 'modalities');
  if (output?.type === 'choice' || output?.type === 'regex' || output?.type === 'grammar') {
    refuse('output', `output of type ${output.type}`);
  }
}
