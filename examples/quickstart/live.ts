import { createGateway } from 'postern';
import { anthropic } from 'postern/providers/anthropic';
import { openai } from 'postern/providers/openai';
import { green, line, red, title } from './print.ts';

/** The same calls against the real providers whose keys are set. */
export async function live(): Promise<void> {
  const targets = [
    ...(process.env['OPENAI_API_KEY'] === undefined ? [] : ['openai/gpt-5-mini']),
    ...(process.env['ANTHROPIC_API_KEY'] === undefined ? [] : ['anthropic/claude-haiku-4-5']),
  ];
  if (targets.length === 0) {
    console.log(red('Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or run without --live.'));
    process.exitCode = 1;
    return;
  }
  await using gateway = createGateway({ providers: [openai(), anthropic()], models: { default: targets } });
  title('A first answer');
  const { text, target, usage } = await gateway.chat('Name three rivers, in one short sentence.');
  line('answer', green(text));
  line('from', `${target.provider}/${target.model}, ${usage.total} tokens`);
  title('A stream, as it arrives');
  for await (const piece of gateway.stream('Count from one to ten in words.').text) process.stdout.write(green(piece));
  console.log();
}
