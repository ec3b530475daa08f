import { describe, expect, it } from 'vitest';
import { normaliseChat } from '../../src/operations/chat-normalise.ts';
import { chatTraits } from '../../src/operations/chat-traits.ts';

describe('the places of the texts of a request', () => {
  const request = normaliseChat({
    system: 'Be brief.',
    messages: [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'weather', args: { at: ['Oslo'] } }] },
      { role: 'tool', content: [{ type: 'tool-result', callId: 'c1', content: [{ type: 'text', text: 'Rain' }] }] },
    ],
    tools: [{ type: 'function', name: 'weather', description: 'Tells it', input: { type: 'object', title: 'Where' } }],
  });

  it('are told by kind and path, in order', () => {
    const seen: string[] = [];
    const same = chatTraits.mapRequestText(request, (text, { kind, form, path }) => {
      seen.push(`${path} ${kind} ${form} ${text}`);
      return text;
    });
    expect(same).toBe(request);
    expect(seen).toEqual([
      'system[0].text system text Be brief.',
      'messages[0].content[0].text user text Weather?',
      'messages[1].content[0].args.at[0] tool-arguments text Oslo',
      'messages[2].content[0].content[0].text tool-result text Rain',
      'tools[0].description tool-definition text Tells it',
      'tools[0].input.type tool-definition text object',
      'tools[0].input.title tool-definition text Where',
    ]);
  });

  it('are changed one by one, and nothing else is copied', () => {
    const changed = chatTraits.mapRequestText(request, (text, { path }) => (path.includes('args') ? 'Bergen' : text));
    expect(changed.messages[1]?.content[0]).toMatchObject({ args: { at: ['Bergen'] } });
    expect(changed.messages[0]).toBe(request.messages[0]);
    expect(changed.tools).toBe(request.tools);
  });
});
