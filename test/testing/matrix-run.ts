import { createGateway, type AttemptRecord, type Clock, type Middleware, type Provider } from '../../src/index.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { type LedgerRow, meter } from '../../src/middleware/meter.ts';
import { fakeClock, mockProvider, type MockProvider, type MockProviderOptions } from '../../src/testing/index.ts';
import type { FaultRow } from '../../src/testing/matrix/row.ts';

/** How often the fault strikes, and whether there is somewhere else to go. */
export interface Setting {
  readonly times: 'once' | 'always';
  readonly targets: 1 | 2;
}

export interface Seen {
  readonly text?: string;
  readonly response?: Awaited<ReturnType<ReturnType<typeof createGateway>['chat']>>;
  readonly error?: GatewayError;
  readonly pieces: string;
  readonly hits: number;
  readonly secondHits: number;
  readonly rows: readonly LedgerRow[];
  readonly attempts: readonly AttemptRecord[];
  readonly events: { readonly attempt: number; readonly end: number };
  readonly elapsedMs: number;
  readonly timersLeft: number;
}

export const TEXT = 'one two three four';

/** Where the providers of a run come from: the mocks themselves, or real ones whose network is a server that plays them. */
export interface Way {
  providers(first: MockProvider, second: MockProvider, clock: Clock): Promise<Provider[]>;
  /** Real milliseconds to wait for a socket before each jump in time. */
  readonly patienceMs: number;
  close(): Promise<void>;
}

/** Runs one row of the matrix through a gateway, on a fake clock. */
export async function runRow(
  row: FaultRow,
  protocol: NonNullable<MockProviderOptions['protocol']>,
  use: readonly Middleware[],
  setting: Setting,
  way?: Way,
): Promise<Seen> {
  const clock = fakeClock();
  const first = mockProvider({ name: 'first', protocol });
  const second = mockProvider({ name: 'second', protocol });
  const script = first.otherwise;
  if (row.answer === 'text') script.reply(TEXT);
  else script.callTool('find', { query: 'a b c' }).callTool('find', { query: 'd e f' });
  script.fault(...row.faults);
  if (setting.times === 'once') script.once().then.reply('fine');
  second.reply('from the second');
  const rows: LedgerRow[] = [];
  const events = { attempt: 0, end: 0 };
  const gateway = createGateway({
    providers: way === undefined ? [first, second] : await way.providers(first, second, clock),
    models: { default: setting.targets === 1 ? 'first/m' : ['first/m', 'second/m'] },
    use: [meter({ sink: (one) => void rows.push(one) }), ...use],
    clock,
    random: () => 0.5,
  });
  gateway.on('attempt', () => void events.attempt++);
  gateway.on('call-end', () => void events.end++);
  let pieces = '';
  let response: Seen['response'];
  let error: GatewayError | undefined;
  const work = async (): Promise<void> => {
    if (row.mode === 'plain') {
      response = await gateway.chat('x');
      pieces = response.text;
      return;
    }
    const stream = gateway.stream('x');
    for await (const event of stream) if (event.type === 'text-delta') pieces += event.text;
    response = await stream.response;
  };
  try {
    await clock.settled(work(), { patienceMs: way?.patienceMs ?? 0 });
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    error = thrown;
  }
  const elapsedMs = clock.monotonic();
  await clock.advance(0);
  const seen: Seen = {
    pieces,
    hits: first.calls.length,
    secondHits: second.calls.length,
    rows,
    attempts: response?.attempts ?? error?.attempts ?? [],
    events,
    elapsedMs,
    timersLeft: clock.pending,
    ...(response !== undefined && { response, text: response.text }),
    ...(error !== undefined && { error }),
  };
  await gateway.close();
  await way?.close();
  return seen;
}
