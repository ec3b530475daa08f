import type { Dialect, DoorDialect } from '../../core/dialect.ts';
import { anthropicMessagesDoor } from '../../dialects/anthropic-messages/door.ts';
import { anthropicMessages } from '../../dialects/anthropic-messages/index.ts';
import { openaiChatDoor } from '../../dialects/openai-chat/door.ts';
import { openaiChat } from '../../dialects/openai-chat/index.ts';
import { openaiResponsesDoor } from '../../dialects/openai-responses/door.ts';
import { openaiResponses } from '../../dialects/openai-responses/index.ts';

/** Protocols a mock can write. */
export type MockProtocol = 'openai-chat' | 'openai-responses' | 'anthropic-messages';

/** A protocol from both sides. */
export interface BothWays {
  readonly dialect: Dialect;
  readonly door: DoorDialect;
}

/** Not loaded on demand: a fake clock would run on while the first call waits for a file. */
const PROTOCOLS: Readonly<Record<MockProtocol, BothWays>> = {
  'openai-chat': { dialect: openaiChat, door: openaiChatDoor },
  'openai-responses': { dialect: openaiResponses, door: openaiResponsesDoor },
  'anthropic-messages': { dialect: anthropicMessages, door: anthropicMessagesDoor },
};

export function bothWays(protocol: MockProtocol): BothWays {
  return PROTOCOLS[protocol];
}
