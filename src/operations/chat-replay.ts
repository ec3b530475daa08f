import type { ChatEvent } from './chat-events.ts';
import type { ChatResponse, Choice } from './chat.ts';
import type { OutputPart } from './chat-parts.ts';

/** The events of a stream that would have given this response: one delta a part. The inverse of `foldChat`. */
export function* replayChat(response: ChatResponse): Generator<ChatEvent> {
  const { origin } = response.message;
  yield {
    type: 'start',
    id: response.id,
    model: response.model,
    createdAt: response.createdAt,
    provider: origin?.provider ?? '',
    protocol: origin?.protocol ?? '',
    warnings: response.warnings,
    ...(response.requestId !== undefined && { requestId: response.requestId }),
    ...(response.rateLimit !== undefined && { rateLimit: response.rateLimit }),
    ...(response.native !== undefined && { native: response.native }),
  };
  const choices: readonly Choice[] = response.choices ?? [
    {
      index: 0,
      message: response.message,
      finish: response.finish,
      ...(response.logprobs !== undefined && { logprobs: response.logprobs }),
    },
  ];
  for (const choice of choices) {
    const at = choice.index === 0 ? {} : { choice: choice.index };
    for (const [index, part] of choice.message.content.entries()) yield* replayPart(part, { ...at, index });
  }
  yield { type: 'usage', usage: response.usage };
  for (const choice of choices) {
    yield {
      type: 'finish',
      ...(choice.index !== 0 && { choice: choice.index }),
      finish: choice.finish,
      ...(choice.logprobs !== undefined && { logprobs: choice.logprobs }),
    };
  }
  yield {
    type: 'end',
    ...(response.tier !== undefined && { tier: response.tier }),
    ...(response.conversation !== undefined && { conversation: response.conversation }),
  };
}

function* replayPart(part: OutputPart, at: { choice?: number; index: number }): Generator<ChatEvent> {
  switch (part.type) {
    case 'text':
      yield { type: 'text-start', ...(part.phase !== undefined && { phase: part.phase }), ...at };
      if (part.text !== '') yield { type: 'text-delta', text: part.text, ...at };
      for (const citation of part.citations ?? []) yield { type: 'citation', citation, ...at };
      yield { type: 'text-end', part, ...at };
      return;
    case 'reasoning':
      yield { type: 'reasoning-start', form: part.form, ...(part.id !== undefined && { id: part.id }), ...at };
      if (part.text !== '') yield { type: 'reasoning-delta', text: part.text, ...at };
      yield { type: 'reasoning-end', part, ...at };
      return;
    case 'refusal':
      yield { type: 'refusal-start', ...at };
      if (part.text !== '') yield { type: 'refusal-delta', text: part.text, ...at };
      yield { type: 'refusal-end', part, ...at };
      return;
    case 'tool-call': {
      const encoding = typeof part.args === 'string' ? 'text' : 'json';
      const text = part.argsText ?? (typeof part.args === 'string' ? part.args : JSON.stringify(part.args));
      yield {
        type: 'tool-call-start',
        id: part.id,
        name: part.name,
        executor: part.executor ?? 'client',
        encoding,
        ...(part.server !== undefined && { server: part.server }),
        ...at,
      };
      if (text !== '') yield { type: 'tool-call-delta', text, ...at };
      yield { type: 'tool-call-end', part, ...at };
      return;
    }
    case 'audio': {
      yield {
        type: 'audio-start',
        ...(part.mediaType !== undefined && { mediaType: part.mediaType }),
        ...(part.id !== undefined && { id: part.id }),
        ...at,
      };
      const data = part.source.kind === 'base64' ? part.source.data : '';
      if (data !== '' || part.transcript) {
        yield {
          type: 'audio-delta',
          ...(data !== '' && { data }),
          ...(part.transcript !== undefined && { transcript: part.transcript }),
          ...at,
        };
      }
      yield { type: 'audio-end', part, ...at };
      return;
    }
    default:
      yield { type: 'part', part, ...at };
  }
}
