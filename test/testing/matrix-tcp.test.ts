import { beforeAll, describe, expect, it } from 'vitest';
import { createGateway, type Middleware, systemClock } from '../../src/index.ts';
import { retry, route, timeout } from '../../src/middleware/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { mockProvider, type MockProvider, mockServer, type MockServer } from '../../src/testing/index.ts';
import type { FaultRow } from '../../src/testing/matrix/row.ts';
import { faultRows } from '../../src/testing/matrix/rows.ts';
import { full } from '../size.ts';
import { problemsOf, wantedOf } from './matrix-expect.ts';
import { runRow, type Setting, type Way } from './matrix-run.ts';

/**
 * What happens below a socket has no server, and a drip there only takes time. A huge line comes in many reads here: once more is held than may be held
 * (64 KiB) the stream counts as begun, so where it strikes no longer decides whether it can be hidden.
 */
const NO_SERVER = new Set(['dns', 'refused', 'tls', 'huge-line', 'drip']);
const PROTOCOLS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const;
const STACK = { retries: true, routes: true };
const use = (row: FaultRow): readonly Middleware[] => [
  // Without back-off only silence needs a jump in time, and only a jump has to wait for the socket.
  retry({ baseMs: 0 }),
  route(),
  timeout({ connectMs: 2_000, firstContentMs: 3_000, idleMs: 4_000, attemptMs: row.mode === 'plain' ? 5_000 : 0 }),
];

function wayOver(
  protocol: 'openai-chat' | 'openai-responses' | 'anthropic-messages',
  transport: 'fetch' | 'sdk',
  patienceMs: number,
): Way {
  const servers: MockServer[] = [];
  return {
    patienceMs,
    async providers(first, second, clock) {
      servers.push(await mockServer({ script: first, clock }), await mockServer({ script: second, clock }));
      return servers.map((server, index) => {
        const name = index === 0 ? 'first' : 'second';
        return protocol === 'anthropic-messages'
          ? anthropic({ name, apiKey: 'sk-ant-test', baseURL: server.anthropicURL, transport })
          : openai({
              name,
              apiKey: 'sk-test-key',
              baseURL: server.openaiURL,
              transport,
              api: protocol === 'openai-chat' ? 'chat' : 'responses',
            });
      });
    },
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}

describe('the failure matrix (reliability 4.3), over TCP', () => {
  const rows = faultRows().filter(({ faults }) => faults.every(({ kind }) => !NO_SERVER.has(kind)));
  // Silence ends by a clock of ours, so each such row waits in real time to be sure that nothing comes.
  const isSilent = ({ waits, id }: FaultRow): boolean =>
    waits === true || /^(pause|slow-read|retry-after|status-5[02][39]|should|error-overloaded)/.test(id);
  const quick = rows.filter((row) => !isSilent(row));
  const silent = rows.filter(isSilent);
  const settings: readonly Setting[] = [
    { times: 'once', targets: 1 },
    { times: 'always', targets: 2 },
  ];
  let offset = 0;
  beforeAll(async () => {
    // SDKs and dialects are loaded at the first call: that must not happen while a fake clock runs.
    for (const protocol of PROTOCOLS) {
      for (const transport of ['fetch', 'sdk'] as const) {
        const way = wayOver(protocol, transport, 0);
        const providers = await way.providers(warm(), warm(), systemClock);
        await createGateway({ providers, models: { default: 'first/m' }, use: [] }).stream('x').response;
        await way.close();
      }
    }
  });
  for (const protocol of PROTOCOLS) {
    for (const transport of ['fetch', 'sdk'] as const) {
      for (const setting of settings) {
        const from = offset++;
        const chosen = full
          ? [...quick, ...nth(silent, 6, from)]
          : [...nth(quick, 24, from), ...(from % 4 === 0 ? nth(silent, silent.length, from) : [])];
        it(`${protocol} over ${transport}, ${setting.times}, ${setting.targets} target(s): ${chosen.length} rows`, async () => {
          const wrong: string[] = [];
          for (const row of chosen) {
            const seen = await runRow(
              row,
              protocol,
              use(row),
              setting,
              wayOver(protocol, transport, isSilent(row) ? 250 : 2_000),
            );
            const problems = problemsOf(row, seen, wantedOf(row, setting, STACK));
            if (problems.length > 0) wrong.push(`${row.id}: ${problems.join('; ')}`);
          }
          expect(wrong).toEqual([]);
        }, 120_000);
      }
    }
  }
});

function warm(): MockProvider {
  const mock = mockProvider();
  mock.reply('warm');
  return mock;
}

function nth<T>(list: readonly T[], step: number, from: number): readonly T[] {
  return list.filter((_item, index) => index % step === from % step);
}
