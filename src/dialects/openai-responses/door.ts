import type { DoorDialect } from '../../core/dialect.ts';
import { decodeRequest } from './door-request.ts';
import { encodeError } from './door-error.ts';
import { encodeResponse } from './door-response.ts';
import { encodeStream } from './door-stream.ts';
import { PROTOCOL } from './protocol.ts';

/** What an application that speaks the Responses protocol sends, and what it expects back. */
export const openaiResponsesDoor: DoorDialect = {
  protocol: PROTOCOL,
  routes: { '/responses': 'chat' },
  chat: { decodeRequest, encodeResponse, encodeStream },
  encodeError,
};
