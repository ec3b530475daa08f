import { describe, expect, it } from 'vitest';
import { createGateway, type Store } from '../../../src/index.ts';
import { redact, type RedactOptions } from '../../../src/middleware/redact.ts';
import { memoryStore } from '../../../src/stores/memory.ts';
import { fakeClock, mockProvider } from '../../../src/testing/index.ts';

const MAIL = 'ann.smith@example.com';
const KEY = 'sixteen-bytes-or-more';

/** A process of its own: nothing but the store and the key in common with another. */
function setup(store: Store, options: Partial<RedactOptions> = {}) {
  const mock = mockProvider();
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/m' },
    use: [redact({ key: KEY, vault: { store }, ...options })],
  });
  const says = async (scope: object, prompt: string, answer?: string, stream = false): Promise<string> => {
    mock.reset();
    mock.otherwise.pace({ pieceLength: 3 }).reply(answer ?? ((call) => call.text));
    const acme = gateway.with({ scope });
    const text = stream ? (await acme.stream(prompt).response).text : (await acme.chat(prompt)).text;
    await gateway.close();
    return text;
  };
  return { mock, says };
}
/** What the model was told in the place of the address. */
async function placeholderOf(store: Store, scope: object): Promise<string> {
  const { mock, says } = setup(store);
  await says(scope, `I am ${MAIL}`);
  return /\[EMAIL_ADDRESS_[a-z]{14}\]/.exec(mock.last.text)?.[0] ?? '';
}
const session = { tenant: 'acme', user: 'u1', session: 's1' };

describe('redact with a stored vault', () => {
  it.each([false, true])('restores what an earlier request of the session held, streamed: %s', async (stream) => {
    const store = memoryStore();
    const placeholder = await placeholderOf(store, session);
    expect(await setup(store).says(session, 'Who am I?', `You are ${placeholder}.`, stream)).toBe(`You are ${MAIL}.`);
  });

  it('RED-05: restores nothing of another session, user, tenant or key, or without a session', async () => {
    const store = memoryStore();
    const placeholder = await placeholderOf(store, session);
    for (const scope of [
      { ...session, session: 's2' },
      { ...session, user: 'u2' },
      { ...session, tenant: 'globex' },
      { tenant: 'acme', user: 'u1' },
      {},
    ]) {
      expect(await setup(store).says(scope, 'Who am I?', placeholder)).toBe(placeholder);
    }
    const other = setup(store, { key: 'another key of sixteen' });
    expect(await other.says(session, 'Who am I?', placeholder)).toBe(placeholder);
  });

  it('keeps nothing readable, and nothing that names the session', async () => {
    const written: string[] = [];
    const inner = memoryStore();
    const store: Store = {
      name: 'spied',
      get: (key) => inner.get(key),
      set: (key, value, options) => {
        written.push(key, typeof value === 'string' ? value : Buffer.from(value).toString('latin1'));
        return inner.set(key, value, options);
      },
      delete: (key) => inner.delete(key),
      invalidate: (what) => inner.invalidate(what),
    };
    await placeholderOf(store, { tenant: 'tenant-name', user: 'user-name', session: 'session-name' });
    expect(written.length).toBeGreaterThan(0);
    expect(written.join()).not.toMatch(/ann\.smith|example\.com|EMAIL|tenant-name|user-name|session-name/);
  });

  it('forgets the oldest beyond entriesMax, and everything after ttlMs', async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    const options = { vault: { store, entriesMax: 2, ttlMs: 60_000 } };
    const seen: string[] = [];
    for (const name of ['ann', 'bob', 'eve']) {
      const { mock, says } = setup(store, options);
      await says(session, `I am ${name}@example.com`);
      seen.push(/\[EMAIL_ADDRESS_[a-z]{14}\]/.exec(mock.last.text)?.[0] ?? '');
    }
    const ask = (): Promise<string> => setup(store, options).says(session, 'Who?', seen.join(' '));
    expect(await ask()).toBe(`${seen[0]} bob@example.com eve@example.com`);
    await clock.advance(60_001);
    expect(await ask()).toBe(seen.join(' '));
  });

  it.each([1, 2])('keeps the values of two calls of a session at the same moment, processes: %i', async (processes) => {
    const inner = memoryStore();
    const store: Store = {
      name: 'slow',
      get: async (key) => Promise.resolve().then(() => inner.get(key)),
      set: async (key, value, options) => Promise.resolve().then(() => inner.set(key, value, options)),
      delete: async (key, options) => Promise.resolve().then(() => inner.delete(key, options)),
      invalidate: (what) => inner.invalidate(what),
    };
    const setups = Array.from({ length: processes }, () => setup(store));
    const names = ['ann', 'bob', 'eve'];
    await Promise.all(names.map((name, index) => setups[index % processes]?.says(session, `I am ${name}@example.com`)));
    const seen = setups.flatMap(({ mock }) => mock.calls.map(({ text }) => text)).join(' ');
    const placeholders = seen.match(/\[EMAIL_ADDRESS_[a-z]{14}\]/g) ?? [];
    expect(placeholders).toHaveLength(names.length);
    const answer = await setup(store).says(session, 'Who?', placeholders.join(' '));
    for (const name of names) expect(answer).toContain(`${name}@example.com`);
  });

  it('keeps working while the store is down: the answer keeps what it cannot restore', async () => {
    const down: Store = {
      name: 'down',
      get: () => undefined,
      set: () => 'refused',
      delete: () => false,
      invalidate: () => {},
    };
    expect(await setup(down).says(session, `I am ${MAIL}`)).toBe(`I am ${MAIL}`);
  });

  it.each([
    [{ key: undefined, vault: { store: memoryStore() } }, 'redact.vault'],
    [{ vault: {} }, 'redact.vault.store'],
    [{ vault: { store: memoryStore(), entriesMax: 0 } }, 'redact.vault.entriesMax'],
    [{ vault: { store: memoryStore(), ttl: 5 } }, 'redact.vault.ttl'],
    [{ refuse: ['images'] }, 'redact.refuse'],
  ])('refuses bad options: %#', (options, field) => {
    const { key = KEY, ...rest } = { ...options } as RedactOptions;
    const given = { ...rest, ...('key' in options ? {} : { key }) };
    expect(() => redact(given)).toThrowError(expect.objectContaining({ code: 'invalid-options', field }));
  });
});
