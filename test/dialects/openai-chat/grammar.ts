import type { ChatEvent } from '../../../src/operations/chat-events.ts';

/** The reference checker of the stream grammar (G1, G2, G4 to G6), and G8: it throws at the first broken rule. */
export function checkGrammar(events: readonly ChatEvent[]): void {
  let state: 'before' | 'live' | 'ended' = 'before';
  const open = new Map<string, string>();
  const next = new Map<number, number>();
  const finished = new Set<number>();
  const fail = (rule: string): never => {
    throw new Error(`stream grammar: ${rule}`);
  };
  for (const event of events) {
    if (state === 'ended') fail('an event after the end');
    if (state === 'before') {
      if (event.type !== 'start') fail('no start');
      state = 'live';
      continue;
    }
    if (event.type === 'start') fail('a second start');
    const choice = ('choice' in event && event.choice) || 0;
    const key = 'index' in event ? `${choice}:${event.index}` : '';
    const block = /^(text|reasoning|refusal|tool-call|audio)-(start|delta|end)$/.exec(event.type);
    if (block !== null || event.type === 'part') {
      if (finished.has(choice)) fail('a part after its finish');
      if (block === null || block[2] === 'start') {
        const index = (event as { index: number }).index;
        if (index !== (next.get(choice) ?? 0)) fail('a gap or a reused index');
        next.set(choice, index + 1);
        if (block !== null) open.set(key, block[1] as string);
      } else {
        if (open.get(key) !== block[1]) fail(`not open: ${key}`);
        if (block[2] === 'end') open.delete(key);
      }
      if (block?.[2] === 'delta' && 'text' in event && typeof event.text === 'string') {
        if (event.text === '') fail('an empty delta');
      }
    } else if (event.type === 'citation') {
      if (open.get(key) !== 'text') fail('a citation outside text');
    } else if (event.type === 'finish') {
      if (finished.has(choice) || [...open.keys()].some((one) => one.startsWith(`${choice}:`))) fail('a bad finish');
      finished.add(choice);
    } else if (event.type === 'end') {
      if (finished.size === 0 || [...next.keys()].some((one) => !finished.has(one))) fail('an early end');
      state = 'ended';
    }
  }
  if (state !== 'ended') fail('no end');
}
