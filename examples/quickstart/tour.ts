import { createGateway, isGatewayError, type MessageInput } from 'postern';
import { type LedgerRow, meter } from 'postern/middleware/meter';
import { retry } from 'postern/middleware/retry';
import { route } from 'postern/middleware/route';
import { timeout } from 'postern/middleware/timeout';
import { formatUsd } from 'postern/pricing';
import { anthropic } from 'postern/providers/anthropic';
import { openai } from 'postern/providers/openai';
import { mockServer, type MockServer } from 'postern/testing';
import { z } from 'zod';
import { dim, green, line, red, table, title } from './print.ts';

/** What the local server answers. Both SDKs talk to it over HTTP as they would to their vendor. */
function script(server: MockServer): void {
  server.on('three rivers').reply('The Rhine, the Elbe and the Oder.');
  server
    .on('castle')
    .pace({ pieceDelayMs: 30 })
    .reply('A postern is the small gate at the back of a castle: you come and go, and nobody has to open the big one.');
  server.on('Book a table').output({ people: 4, day: 'Friday', outside: true });
  server.on('weather').callTool('get_weather', { city: 'Oslo' }).then.reply('It is 4 degrees and clear in Oslo.');
  server.on({ text: 'anybody there', model: /^gpt/ }).fail('overloaded').always();
  server.on({ text: 'anybody there', model: /^claude/ }).reply('Claude here; the other one is busy.');
  server.on('long story').reply('It was a dark and stormy night, and the rain fell in torrents.').cut({ content: 3 });
}

export async function tour(): Promise<void> {
  await using server = await mockServer();
  script(server);
  const rows: LedgerRow[] = [];
  await using gateway = createGateway({
    providers: [
      openai({ apiKey: 'sk-no-key-needed', baseURL: server.openaiURL }),
      anthropic({ apiKey: 'sk-ant-no-key-needed', baseURL: server.anthropicURL }),
    ],
    models: { default: ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5'] },
    use: [meter({ sink: (row) => void rows.push(row) }), retry({ baseMs: 50 }), route(), timeout()],
  });
  console.log(dim(`Real SDKs against ${server.url}: no key, no network.`));

  title('A first answer');
  const first = await gateway.chat('Name three rivers.');
  line('answer', green(first.text));
  line('from', `${first.target.provider}/${first.target.model}, ${first.usage.total} tokens`);

  title('A stream, as it arrives');
  process.stdout.write(`   ${dim('answer'.padEnd(9))} `);
  for await (const text of gateway.stream('What is the small gate of a castle called?').text)
    process.stdout.write(green(text));
  console.log();

  title('Structured output, checked with zod');
  const booking = z.object({ people: z.number(), day: z.string(), outside: z.boolean().optional() });
  const { output } = await gateway.chat({ prompt: 'Book a table for four on Friday, outside.', output: booking });
  line('output', green(JSON.stringify(output)));

  title('A tool call, answered');
  const tools = [{ name: 'get_weather', input: z.object({ city: z.string() }) }];
  const messages: MessageInput[] = [{ role: 'user', content: 'How is the weather in Oslo?' }];
  const asked = await gateway.chat({ messages, tools });
  for (const { name, args } of asked.toolCalls) line('calls', `${name}(${JSON.stringify(args)})`);
  messages.push(asked.message, {
    role: 'tool',
    content: asked.toolCalls.map(({ id }) => ({
      type: 'tool-result' as const,
      callId: id,
      content: '4 degrees, clear',
    })),
  });
  line('answer', green((await gateway.chat({ messages, tools })).text));

  title('An overloaded primary: the other provider answers');
  const served = await gateway.chat('Is anybody there?');
  for (const { target, outcome, code, status, next } of served.attempts) {
    const failed = outcome === 'failed' ? red(`${code} (${status}), ${next}`) : green(outcome);
    line(target.provider, failed);
  }
  line('answer', green(served.text));

  title('A cut stream is reported as one');
  const story = gateway.stream('Tell me a long story.');
  process.stdout.write(`   ${dim('answer'.padEnd(9))} `);
  try {
    for await (const text of story.text) process.stdout.write(text);
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    console.log(red(' ✂'));
    line('error', red(`${error.code}: ${error.message}`));
    line(
      'kept',
      `${JSON.stringify(error.partial?.message.content.map((part) => ('text' in part ? part.text : '')).join(''))}`,
    );
  }

  title('What was used, attempt by attempt');
  const attempts = rows.filter((row) => row.kind === 'attempt');
  table([
    ['target', 'outcome', 'in', 'out', 'ms', 'usage', 'cost'],
    ...attempts.map(({ provider, model, status, errorCode, input, output, latencyMs, quality, costNanoUsd }) => [
      `${provider}/${model}`,
      errorCode === undefined ? status : `${status}: ${errorCode}`,
      input,
      output,
      Math.round(latencyMs),
      quality,
      costNanoUsd === null ? 'unknown' : formatUsd(costNanoUsd),
    ]),
  ]);
  console.log(dim(`\n${server.hits} requests reached the server, ${attempts.length} attempts are on the books.\n`));
}
