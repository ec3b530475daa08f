/** A provider of your own: here one that echoes. Streams come for free with replyWith. */
import { createGateway, defineProvider, replyWith } from 'postern';

const echo = defineProvider({
  name: 'echo',
  protocols: [],
  models: () => ['echo-1'],
  handlers: {
    async chat(call) {
      const parts = call.request.messages.at(-1)?.content ?? [];
      const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
      const tokens = { input: text.length, output: text.length };
      const response = {
        id: call.id,
        model: 'echo-1',
        createdAt: new Date(call.context.clock.now()).toISOString(),
        message: { role: 'assistant' as const, content: [{ type: 'text' as const, text }] },
        finish: { reason: 'stop' as const },
        usage: { ...tokens, total: 2 * text.length, tokens, lines: [], quality: 'estimated' as const },
        warnings: [],
      };
      return replyWith(call, response, { provider: 'echo', model: 'echo-1' });
    },
  },
});

const gateway = createGateway({ providers: [echo], models: { default: 'echo-1' } });
console.log((await gateway.chat('Hello, wall.')).text);
for await (const piece of gateway.stream('Hello again.').text) console.log(piece);
