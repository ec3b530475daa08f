import type { DoorDialect } from '../../core/dialect.ts';
import { encodeError } from './door-errors.ts';
import { decodeRequest } from './door-request.ts';
import { encodeResponse } from './door-response.ts';
import { MessageStreamEncoder } from './door-stream.ts';
import { PROTOCOL } from './encoding.ts';

/** Anthropic's Messages API from the other side: what an application's SDK sends and expects to read. */
export const anthropicMessagesDoor: DoorDialect = {
  protocol: PROTOCOL,
  routes: { '/v1/messages': 'chat' },
  headers: ['anthropic-version', 'anthropic-beta'],
  chat: {
    decodeRequest,
    encodeResponse,
    encodeStream: (environment) => new MessageStreamEncoder(environment),
  },
  encodeError,
};
