import { type Subject, subjects } from './subjects.ts';

/**
 * What two libraries in one call cost each other: a call of the bare SDK and an unrelated one of Postern, each by itself
 * and by turns. By turns both find their code gone from the processor's nearest caches, and so does a wrapped call.
 */
const ROUNDS = 40;
const CALLS = 400;

const all = await subjects();
const named = (name: string): Subject['call'] => {
  const subject = all.find((one) => one.name === name);
  if (subject === undefined) throw new Error(`There is no subject ${name}.`);
  return subject.call;
};
const bare = named('openai SDK');
const postern = named('postern, plain fetch, standard');
const ways: Readonly<Record<string, () => Promise<unknown>>> = {
  'raw fetch': named('raw fetch'),
  'openai SDK': bare,
  'postern, plain fetch, standard': postern,
  'both by turns': async () => {
    await bare();
    await postern();
  },
  'openai SDK, wrapped by postern': named('openai SDK, wrapped by postern'),
};

const spent = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, call] of Object.entries(ways)) {
    const before = process.cpuUsage();
    for (let index = 0; index < CALLS; index++) await call();
    const { user, system } = process.cpuUsage(before);
    spent.set(name, [...(spent.get(name) ?? []), (user + system) / CALLS]);
  }
}

/** The tenth percentile: other work on the machine only ever adds. */
const least = (name: string): number =>
  (spent.get(name) ?? []).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 10)] as number;
for (const name of Object.keys(ways)) console.log(`${name.padEnd(34)} ${least(name).toFixed(1)} us of CPU`);
const apart = least('openai SDK') + least('postern, plain fetch, standard');
console.log(`\nby turns over each by itself        + ${(least('both by turns') - apart).toFixed(1)} us`);
console.log(
  `wrapped over both by turns          + ${(least('openai SDK, wrapped by postern') - least('both by turns')).toFixed(1)} us`,
);
process.exit(0);
