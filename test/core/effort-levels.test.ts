import { describe, expect, it } from 'vitest';
import { nearestEffort } from '../../src/core/effort-levels.ts';

describe('effort levels of OpenAI models', () => {
  it.each([
    ['gpt-5-mini', 'none', 'minimal'],
    ['gpt-5-mini', 'max', 'high'],
    ['gpt-5-2025-08-07', 'minimal', 'minimal'],
    ['o3', 'minimal', 'low'],
    ['o4-mini', 'xhigh', 'high'],
    ['gpt-5-pro', 'low', 'high'],
    ['gpt-5.1', 'minimal', 'none'],
    ['gpt-5.1-codex-max', 'max', 'xhigh'],
    ['gpt-5.2', 'xhigh', 'xhigh'],
    ['openai/gpt-5.2', 'max', 'xhigh'],
    ['gpt-5.2-codex', 'none', 'low'],
  ] as const)('%s takes for %s the nearest, and of two the lower: %s', (model, asked, taken) => {
    expect(nearestEffort(asked, model)).toBe(taken);
  });

  it.each(['gpt-5-chat-latest', 'gpt-6', 'grok-4', 'openai/gpt-oss-120b', 'my-own'])('%s is not judged', (model) => {
    for (const effort of ['none', 'minimal', 'max'] as const) expect(nearestEffort(effort, model)).toBe(effort);
  });
});
