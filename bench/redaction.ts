/**
 * MB/s of redaction on chat text of about 2 kB, clean and holding personal data, beside other packages on the same text.
 * `node --conditions=postern-source bench/redaction.ts`. CPU time of this process; trust ratios, not absolute figures.
 */
import { createGateway, type Middleware } from '../src/index.ts';
import { redact } from '../src/middleware/redact.ts';
import { redactText } from '../src/redaction/index.ts';
import { everyDetector } from '../src/redaction/packs/every.ts';
import { mockProvider } from '../src/testing/index.ts';

const WORDS =
  'Hello, I ordered a pair of headphones two weeks ago and the left side stopped working yesterday evening. Could you ' +
  'please tell me whether the warranty covers this, and what you would need from me to start a return? I have already ' +
  'tried to reset them as the manual says, but nothing changed after the second attempt. ';
const DATA =
  'Write to ann.lee+orders@mail.example.com or call me at (415) 555-0132. I paid with card 4111 1111 1111 1111, the ' +
  'refund can go to DE89 3704 0044 0532 0130 00. My SSN is 536-22-1234. The router showed 10.20.30.40, and our script ' +
  'uses ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8. ';
const texts = {
  clean: WORDS.repeat(7).slice(0, 2000),
  personal: (WORDS.repeat(2) + DATA + WORDS.repeat(4)).slice(0, 2000),
};
const ROUNDS = 7;

type Subject = readonly [name: string, redact: (text: string) => unknown];
const subjects: Subject[] = [
  ['postern, default packs', (text) => redactText(text)],
  ['postern, every pack', (text) => redactText(text, { detectors: everyDetector })],
];

/** The slices of the peers that are used here. */
interface PeerModule {
  readonly default: PeerModule;
  readonly SyncRedactor: new () => { redact(text: string): string };
  readonly OpenRedaction: new () => { detect(text: string): Promise<unknown> };
  readonly redact: (text: string) => Promise<unknown>;
}

/** Adds a package when it is there and works here; says so when it is not. */
async function peer(name: string, make: (module: PeerModule) => (text: string) => unknown): Promise<void> {
  try {
    const redact = make(await import(name));
    await redact(texts.personal);
    subjects.push([name, redact]);
  } catch (error) {
    console.log(`${name}: left out (${error instanceof Error ? error.message.slice(0, 80) : String(error)})`);
  }
}
await peer('redact-pii', (module) => {
  const redactor = new (module.SyncRedactor ?? module.default.SyncRedactor)();
  return (text) => redactor.redact(text);
});
await peer('@openredaction/openredaction', (module) => {
  const redactor = new module.OpenRedaction();
  return (text) => redactor.detect(text);
});
await peer('@arcjet/redact', (module) => (text) => module.redact(text));

async function speed(redact: (text: string) => unknown, text: string): Promise<number> {
  // The garbage of the subject before is not this one's.
  for (const end = performance.now() + 30; performance.now() < end; ) await redact(text);
  const before = process.cpuUsage();
  let times = 0;
  for (const end = performance.now() + 60; performance.now() < end; times++) await redact(text);
  const { user, system } = process.cpuUsage(before);
  return (times * text.length) / (user + system);
}

// A service reads both kinds from the start: nobody's code is made for one of them alone.
for (let round = 0; round < ROUNDS; round++)
  for (const text of Object.values(texts)) for (const [, redact] of subjects) await speed(redact, text);

for (const [kind, text] of Object.entries(texts)) {
  const best = subjects.map(() => 0);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, [, redact]] of subjects.entries())
      best[index] = Math.max(best[index] ?? 0, await speed(redact, text));
  }
  console.log(`\n${kind} text, ${text.length} units`);
  for (const [index, [name]] of subjects.entries()) {
    const mine = best[0] ?? 0;
    console.log(
      `  ${name.padEnd(32)} ${(best[index] ?? 0).toFixed(2).padStart(8)} MB/s  postern's default packs are ${(mine / (best[index] || 1)).toFixed(1)} x`,
    );
  }
}

/** Milliseconds from the call to the first text of a plain streamed answer in pieces of four units. */
async function firstText(use: readonly Middleware[]): Promise<number> {
  const mock = mockProvider();
  mock.otherwise.pace({ pieceLength: 4 }).reply(texts.clean);
  const gateway = createGateway({ providers: [mock], models: { default: 'mock/m' }, use });
  const start = performance.now();
  for await (const _text of gateway.stream(texts.personal).text) return performance.now() - start;
  return 0;
}
const stacks: Readonly<Record<string, () => readonly Middleware[]>> = {
  'without redact': () => [],
  redact: () => [redact()],
  'redact, with the output checked': () => [redact({ output: { action: 'mask' } })],
};
const times: Record<string, number[]> = {};
for (let round = 0; round < 300; round++)
  for (const [name, use] of Object.entries(stacks)) (times[name] ??= []).push(await firstText(use()));
console.log('\ntime to the first text of a stream, milliseconds');
for (const [name, all] of Object.entries(times)) {
  const sorted = all.slice(50).sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
  console.log(`  ${name.padEnd(32)} median ${at(0.5)}  p99 ${at(0.99)}`);
}
process.exit(0);
