import type { Dialect } from '../../core/dialect.ts';
import { PROTOCOL } from './encoding.ts';
import { decodeError, isError } from './errors.ts';
import { encodeRequest } from './request.ts';
import { decodeResponse } from './response.ts';
import { MessageStreamDecoder } from './stream.ts';

/** Anthropic's Messages API as pure functions: what a provider sends and reads. */
export const anthropicMessages: Dialect = {
  protocol: PROTOCOL,
  chat: {
    encodeRequest,
    decodeResponse,
    decodeStream: (head, environment) => new MessageStreamDecoder(head, environment),
  },
  decodeError,
  isError,
};

export { type AnthropicModel, modelOf } from './models.ts';
export type { AnthropicQuirks } from './quirks.ts';
