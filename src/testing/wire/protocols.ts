import type { Dialect, DoorDialect } from '../../core/dialect.ts';

/** Protocols a mock can write. */
export type MockProtocol = 'openai-chat' | 'openai-responses' | 'anthropic-messages';

export interface BothWays {
  readonly dialect: Dialect;
  readonly door: DoorDialect;
}

/** A protocol from both sides. Loaded when it is first spoken. */
export async function bothWays(protocol: MockProtocol): Promise<BothWays> {
  switch (protocol) {
    case 'openai-chat': {
      const [{ openaiChat }, { openaiChatDoor }] = await Promise.all([
        import('../../dialects/openai-chat/index.ts'),
        import('../../dialects/openai-chat/door.ts'),
      ]);
      return { dialect: openaiChat, door: openaiChatDoor };
    }
    case 'openai-responses': {
      const [{ openaiResponses }, { openaiResponsesDoor }] = await Promise.all([
        import('../../dialects/openai-responses/index.ts'),
        import('../../dialects/openai-responses/door.ts'),
      ]);
      return { dialect: openaiResponses, door: openaiResponsesDoor };
    }
    case 'anthropic-messages': {
      const [{ anthropicMessages }, { anthropicMessagesDoor }] = await Promise.all([
        import('../../dialects/anthropic-messages/index.ts'),
        import('../../dialects/anthropic-messages/door.ts'),
      ]);
      return { dialect: anthropicMessages, door: anthropicMessagesDoor };
    }
  }
}

/** Loads all protocols, so that the first request of a server is as quick as the next. */
export async function loadProtocols(): Promise<void> {
  await Promise.all((['openai-chat', 'openai-responses', 'anthropic-messages'] as const).map(bothWays));
}
