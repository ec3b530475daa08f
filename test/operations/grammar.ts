import type { ChatEvent } from '../../src/operations/chat-events.ts';

/** Throws when a whole stream breaks the grammar of chat events (G1, G2, G4 to G6 of the reference). */
export function checkGrammar(events: readonly ChatEvent[]): void {
  const fail = (message: string): never => {
    throw new Error(`stream grammar: ${message}`);
  };
  const open = new Map<string, string>();
  const next = new Map<number, number>();
  const finished = new Set<number>();
  for (const [position, event] of events.entries()) {
    if (position === 0 && event.type !== 'start') fail('no start');
    if (position > 0 && event.type === 'start') fail('a second start');
    if (event.type === 'end' && position !== events.length - 1) fail('an event after the end');
    const block = /^(text|reasoning|refusal|tool-call|audio)-(start|delta|end)$/.exec(event.type);
    const choice = 'choice' in event ? (event.choice ?? 0) : 0;
    if (block !== null || event.type === 'part') {
      const { index } = event as { readonly index: number };
      const key = `${choice}:${index}`;
      if (finished.has(choice)) fail('a part after finish');
      if (block === null || block[2] === 'start') {
        if (index !== (next.get(choice) ?? 0)) fail(`index ${index} leaves a gap or is used again`);
        next.set(choice, index + 1);
        if (block !== null) open.set(key, block[1] as string);
      } else {
        if (open.get(key) !== block[1]) fail(`${event.type} outside its block`);
        if (block[2] === 'end') open.delete(key);
        if (block[2] === 'delta' && 'text' in event && event.text === '') fail('an empty delta');
      }
    } else if (event.type === 'citation' && open.get(`${choice}:${event.index}`) !== 'text')
      fail('a citation outside text');
    else if (event.type === 'finish') {
      if (finished.has(choice)) fail('a second finish');
      if ([...open.keys()].some((key) => key.startsWith(`${choice}:`))) fail('finish with an open block');
      finished.add(choice);
    }
  }
  if (events.at(-1)?.type !== 'end') fail('no end');
  if (finished.size === 0 || [...next.keys()].some((choice) => !finished.has(choice))) fail('end before finish');
}
