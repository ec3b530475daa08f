/** An answer that is parsed, checked and typed. */
import { createGateway } from 'postern';
import { mockProvider } from 'postern/testing';
import { z } from 'zod';

const mock = mockProvider();
mock.on('Thanks').output({ sentiment: 'good', topics: ['delivery', 'price'] });
const gateway = createGateway({ providers: [mock], models: { default: 'mock/any-model' } });

const { output } = await gateway.chat({
  prompt: 'Thanks! It came a day early and cost less than I thought.',
  output: z.object({ sentiment: z.enum(['good', 'bad']), topics: z.array(z.string()) }),
});
console.log(output?.sentiment, output?.topics.join(', '));
