import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGateway, type GatewayError, isGatewayError } from 'postern';
import { anthropic } from 'postern/providers/anthropic';
import { openai } from 'postern/providers/openai';
import { mockServer } from 'postern/testing';
import { bold, dim, green, red } from './print.ts';

interface Entry {
  readonly name: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly stream: boolean;
}
const PROVIDER: Readonly<Record<string, string>> = {
  'chat-completions': 'chat',
  responses: 'responses',
  messages: 'messages',
};

/** Serves recorded traffic of real providers over HTTP and prints what each recording says. */
export async function recordings(folder: string): Promise<void> {
  const entries = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Entry[];
  await using server = await mockServer({ recordings: folder });
  const key = 'sk-no-key-needed';
  await using gateway = createGateway({
    providers: [
      openai({ name: 'chat', api: 'chat', apiKey: key, baseURL: server.openaiURL }),
      openai({ name: 'responses', apiKey: key, baseURL: server.openaiURL }),
      anthropic({ name: 'messages', apiKey: key, baseURL: server.anthropicURL }),
    ],
    use: [],
  });
  const counts = { answered: 0, failed: 0 };
  for (const { name, provider, endpoint, stream } of entries) {
    const via = PROVIDER[endpoint];
    if (via === undefined) continue;
    const request = { model: `${via}/${provider}/${name}`, prompt: 'What was said?' };
    const label = `${provider} ${endpoint} ${name} ${stream ? 'streamed' : 'plain'}`;
    try {
      const { text, toolCalls, finish, usage } = stream
        ? await gateway.stream(request).response
        : await gateway.chat(request);
      counts.answered++;
      const calls = toolCalls.map((call) => `${call.name}(${JSON.stringify(call.args)})`).join(' ');
      console.log(`${bold(label)} ${dim(`${finish.reason}, ${usage.input} in, ${usage.output} out`)}`);
      console.log(`   ${green(short([text, calls].filter(Boolean).join(' ')) || '(nothing visible)')}`);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      counts.failed++;
      console.log(`${bold(label)}\n   ${red(explain(error))}`);
    }
  }
  console.log(`\n${counts.answered} recordings answered, ${counts.failed} were failures and are reported as such.`);
}

const short = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 160);
const explain = (error: GatewayError): string =>
  `${error.code}${error.status === undefined ? '' : ` (${error.status})`}: ${error.message}`;
