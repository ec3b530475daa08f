import type { ChatDoorCodec, DoorDialect } from '../../core/dialect.ts';
import { embedDoor } from './door-embed.ts';
import { encodeError } from './door-errors.ts';
import { decodeRequest } from './door-request.ts';
import { encodeResponse } from './door-response.ts';
import { encodeStream } from './door-stream.ts';
import { PROTOCOL } from './hints.ts';

const chat: ChatDoorCodec = { decodeRequest, encodeResponse, encodeStream };

/** The reverse of `openaiChat`: what an application with OpenAI's SDK sends and expects. */
export const openaiChatDoor: DoorDialect = {
  protocol: PROTOCOL,
  routes: { '/chat/completions': 'chat', '/embeddings': 'embed' },
  chat,
  embed: embedDoor,
  encodeError,
};
