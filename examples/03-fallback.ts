/** The first target is overloaded; the second one answers. */
import { createGateway } from 'postern';
import { mockProvider } from 'postern/testing';

const first = mockProvider({ name: 'first' });
first.otherwise.fail('overloaded');
const second = mockProvider({ name: 'second' });
second.reply('Here I am.');

const gateway = createGateway({
  providers: [first, second],
  models: { default: ['first/model-a', 'second/model-b'] },
});

const { text, attempts } = await gateway.chat('Is anybody there?');
console.log(text);
for (const { target, outcome, code, next } of attempts) {
  console.log(`${target.provider}: ${outcome}${code === undefined ? '' : ` (${code}), ${next}`}`);
}
