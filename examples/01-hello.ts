/** A first answer. With OPENAI_API_KEY set it is a real one. */
import { createGateway } from 'postern';
import { openai } from 'postern/providers/openai';
import { mockProvider } from 'postern/testing';

const mock = mockProvider();
mock.on('three rivers').reply('The Rhine, the Elbe and the Oder.');

const live = process.env['OPENAI_API_KEY'] !== undefined;
const gateway = createGateway({
  providers: live ? [openai()] : [mock],
  models: { default: live ? 'openai/gpt-5-mini' : 'mock/any-model' },
});

const { text, usage, target } = await gateway.chat('Name three rivers.');
console.log(text);
console.log(`${usage.total} tokens from ${target.provider}/${target.model}`);
