import type { ChatCodec, Dialect } from '../../core/dialect.ts';
import { embed } from './embed.ts';
import { decodeError, isError } from './errors.ts';
import { PROTOCOL } from './hints.ts';
import { encodeRequest } from './request.ts';
import { decodeResponse } from './response.ts';
import { decodeStream } from './stream.ts';

export { type OpenAiChatQuirks } from './quirks.ts';

const chat: ChatCodec = { encodeRequest, decodeResponse, decodeStream };

/** OpenAI's chat completions and embeddings, and the many servers that speak them. */
export const openaiChat: Dialect = { protocol: PROTOCOL, chat, embed, decodeError, isError };
