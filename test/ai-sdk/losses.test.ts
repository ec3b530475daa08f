import { createAnthropic } from '@ai-sdk/anthropic';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { fromAiSdk } from '../../src/ai-sdk.ts';
import { createGateway } from '../../src/index.ts';
import * as up from '../doors/upstream.ts';

const EMPTY = { type: 'object' };
function gatewayOver() {
  const { fetch, seen } = up.upstream(({ body }) =>
    JSON.parse(body).stream === true ? up.sse(up.messageEvents()) : up.json(up.message()),
  );
  const sdk = createAnthropic({ apiKey: 'sk-0123456789abcdef', fetch });
  const gateway = createGateway({
    providers: [fromAiSdk(sdk('claude-sonnet-4-5'), { name: 'sdk' })],
    models: { default: 'sdk/claude-sonnet-4-5' },
    use: [],
  });
  return { gateway, seen, sent: () => JSON.parse(seen.at(-1)?.body ?? '{}') };
}

beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue());

describe('what a model of the AI SDK cannot be told', () => {
  const tuning = { prompt: 'x', verbosity: 'low', tier: 'flex', logprobs: 2, logitBias: { 1: 1 } } as const;

  it('is a warning, plain, streamed and explained; under strict an error', async () => {
    const { gateway } = gatewayOver();
    const lost = ['logitBias', 'logprobs', 'tier', 'verbosity'];
    const paths = (warnings: readonly { path?: string }[]) =>
      warnings.flatMap(({ path }) => (lost.includes(path ?? '') ? [path] : [])).toSorted();
    expect(paths((await gateway.chat(tuning)).warnings)).toEqual(lost);
    expect(paths((await gateway.stream(tuning).response).warnings)).toEqual(lost);
    expect(paths(gateway.explain(tuning).candidates[0]?.warnings ?? [])).toEqual(lost);
    await expect(gateway.chat({ ...tuning, strict: true })).rejects.toMatchObject({ code: 'unsupported' });
  });

  it.each([
    ['n', { n: 2 }],
    ['background', { background: true }],
    ['conversation', { conversation: { previousResponseId: 'resp_1' } }],
    ['tools[0]', { tools: [{ type: 'hosted', tool: 'web_search' }] }],
    ['output', { output: { type: 'regex', pattern: '.+' } }],
  ] as const)('is refused before any network where the answer would be wrong without it: %s', async (field, more) => {
    const { gateway, seen } = gatewayOver();
    await expect(gateway.chat({ prompt: 'x', ...more } as never)).rejects.toMatchObject({ code: 'unsupported', field });
    expect(seen).toHaveLength(0);
  });

  it('is told of a caller’s own words, too, through a door', async () => {
    const { gateway } = gatewayOver();
    const body = { model: 'default', foo: 1, messages: [{ role: 'user', content: 'x' }] };
    const response = await gateway.fetch('https://anywhere.test/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(response.headers.get('x-postern-warnings')).toContain('unsupported foo');
  });

  it('is little: allowed tools are the only ones offered, native options and headers go along', async () => {
    const { gateway, seen, sent } = gatewayOver();
    await gateway.chat({
      prompt: 'x',
      tools: [
        { name: 'a', input: EMPTY },
        { name: 'b', input: EMPTY },
      ],
      toolChoice: { allow: ['b'] },
      native: { 'ai-sdk': { anthropic: { metadata: { userId: 'u1' } } } },
    });
    expect(sent().tools.map(({ name }: { name: string }) => name)).toEqual(['b']);
    expect(sent().metadata).toEqual({ user_id: 'u1' });
    await gateway.chat({ prompt: 'x' }, { headers: { 'x-team': 'blue' } });
    expect(seen.at(-1)?.headers.get('x-team')).toBe('blue');
  });
});
