import type { Dialect } from '../../core/dialect.ts';
import { decodeError, isError } from './errors.ts';
import { PROTOCOL } from './protocol.ts';
import { encodeRequest } from './request.ts';
import { decodeResponse } from './response.ts';
import { decodeStream } from './stream.ts';

/** OpenAI's Responses protocol, and servers that speak it. */
export const openaiResponses: Dialect = {
  protocol: PROTOCOL,
  chat: { encodeRequest, decodeResponse, decodeStream },
  decodeError: (body, head, environment) => decodeError(body, head, environment),
  isError,
};
