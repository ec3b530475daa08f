/** The model asks for a tool; you run it and answer. Postern never runs tools itself. */
import { createGateway, type MessageInput } from 'postern';
import { mockProvider } from 'postern/testing';
import { z } from 'zod';

const mock = mockProvider();
mock.on('weather').callTool('get_weather', { city: 'Oslo' }).then.reply('It is 4 degrees in Oslo.');
const gateway = createGateway({ providers: [mock], models: { default: 'mock/any-model' } });

const tools = [{ name: 'get_weather', description: 'Weather now', input: z.object({ city: z.string() }) }];
const messages: MessageInput[] = [{ role: 'user', content: 'How is the weather in Oslo?' }];

for (;;) {
  const { message, toolCalls, text } = await gateway.chat({ messages, tools });
  messages.push(message);
  if (toolCalls.length === 0) {
    console.log(text);
    break;
  }
  messages.push({
    role: 'tool',
    content: toolCalls.map(({ id, name, args }) => {
      console.log(`running ${name}(${JSON.stringify(args)})`);
      return { type: 'tool-result' as const, callId: id, content: '4 degrees' };
    }),
  });
}
