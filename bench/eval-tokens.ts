/**
 * How good the token counts are on the token fixtures: exactness of gpt-tokenizer, and the error of the heuristic.
 *
 *   npm run eval:tokens
 */
import { existsSync, readFileSync } from 'node:fs';
import { estimateTokens } from '../src/operations/estimate-tokens.ts';
import { estimateRequest } from '../src/pricing/estimate-request.ts';
import { type ChatPrompt, type EncodingName, gptCounter } from '../src/pricing/gpt-counter.ts';

interface Row {
  readonly kind: 'text' | 'chat';
  readonly encoding: EncodingName;
  readonly text?: string;
  readonly request?: ChatPrompt;
  readonly tokens: number;
}

const file = new URL('../../shared/fixtures/tokens/tokens-dev.jsonl', import.meta.url);
if (!existsSync(file)) {
  console.log(`Skipped: the token fixtures are not at ${file.pathname}.`);
  process.exit(0);
}
const rows = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? 0;

console.log('encoding       rows  exact   heuristic: median error   95th percentile   total');
const groups = Map.groupBy(rows, (row) => (row.kind === 'chat' ? 'chat o200k_base' : row.encoding));
for (const [name, group] of groups) {
  // The chat rows say cl100k, but their source counts them with gpt-4o, whose encoding is o200k.
  const counter = await gptCounter({ encoding: name.startsWith('chat') ? 'o200k_base' : (name as EncodingName) });
  let exact = 0;
  let estimated = 0;
  let total = 0;
  const errors: number[] = [];
  for (const row of group) {
    const counted =
      row.kind === 'chat' ? counter.countChat(row.request ?? { messages: [] }) : counter.count(row.text ?? '');
    if (counted === row.tokens) exact++;
    const estimate = row.kind === 'chat' ? estimateChat(row.request) : estimateTokens(row.text ?? '');
    estimated += estimate;
    total += row.tokens;
    if (row.tokens > 0) errors.push(Math.abs(estimate - row.tokens) / row.tokens);
  }
  errors.sort((left, right) => left - right);
  const columns = [
    name.padEnd(17),
    String(group.length).padEnd(5),
    `${exact}/${group.length}`.padEnd(9),
    percent(quantile(errors, 0.5)).padStart(18),
    percent(quantile(errors, 0.95)).padStart(19),
    percent(estimated / total - 1).padStart(13),
  ];
  console.log(columns.join(''));
}

/** The wire request as a canonical one, as far as the heuristic looks at it. */
function estimateChat(prompt: ChatPrompt = { messages: [] }): number {
  const messages = prompt.messages as readonly {
    content?: string;
    name?: string;
    function_call?: { name: string; arguments: string };
  }[];
  const functions = (prompt.functions ?? []) as readonly {
    name: string;
    description?: string;
    parameters: Record<string, unknown>;
  }[];
  return estimateRequest({
    model: 'gpt-3.5-turbo',
    messages: messages.map(({ content = '', name, function_call: call }) => ({
      role: 'user',
      ...(name !== undefined && { name }),
      content: [{ type: 'text', text: content + (call === undefined ? '' : call.name + call.arguments) }],
    })),
    tools: functions.map(({ name, description, parameters }) => ({
      type: 'function',
      name,
      ...(description !== undefined && { description }),
      input: parameters,
    })),
  });
}
