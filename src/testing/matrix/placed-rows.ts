import type { ErrorCode } from '../../core/errors.ts';
import type { Fault, FaultPosition } from '../script/fault.ts';
import { ANSWERED, type FaultRow, fails, isCommitted, POSITIONS, positionName, type Verdict } from './row.ts';

type Kind = 'cut' | 'reset' | 'hang' | 'pings' | 'pause' | 'junk' | 'huge-line' | 'error';

const TITLES: Readonly<Record<Kind, string>> = {
  cut: 'closed as if complete',
  reset: 'the connection breaks',
  hang: 'silence',
  pings: 'nothing but keep-alive',
  pause: 'a pause',
  junk: 'an event that is no JSON',
  'huge-line': 'a line of 2 MiB',
  error: 'an error inside a 200',
};
/** Codes that providers send inside a 200. */
const CODES: readonly ErrorCode[] = ['overloaded', 'rate-limited', 'unavailable', 'quota-exceeded'];

/** Faults that strike at one place of the answer, at every place. */
export function placedRows(): FaultRow[] {
  const rows: FaultRow[] = [];
  for (const position of POSITIONS) {
    const answer = position === 'inside-tool-args' ? 'tools' : 'text';
    for (const kind of Object.keys(TITLES) as Kind[]) {
      if (!canStand(kind, position)) continue;
      for (const fault of faultsOf(kind, position)) {
        const name = 'code' in fault ? `${kind}-${fault.code}` : kind;
        const where = positionName(position);
        rows.push({
          id: `${name} ${where} stream`,
          title: `${TITLES[kind]}, ${where}`,
          faults: [fault],
          mode: 'stream',
          answer,
          verdict: streamVerdict(fault, position),
          ...((kind === 'hang' || kind === 'pings') && { waits: true }),
        });
      }
    }
  }
  return [...rows, ...plainRows()];
}

function canStand(kind: Kind, position: FaultPosition): boolean {
  if (position === 'before-headers') return kind === 'cut' || kind === 'reset' || kind === 'hang' || kind === 'pause';
  // What a protocol says after its last word is not read, so only the socket matters there.
  if (position === 'after-terminal') return kind === 'cut' || kind === 'reset' || kind === 'hang' || kind === 'pings';
  return true;
}

function faultsOf(kind: Kind, at: FaultPosition): Fault[] {
  if (kind === 'error') return CODES.map((code) => ({ kind, code, at }));
  if (kind === 'pause') return [{ kind, ms: 900, at }];
  return [{ kind, at } as Fault];
}

function streamVerdict(fault: Fault, position: FaultPosition): Verdict {
  if (position === 'after-terminal' || fault.kind === 'pause') return ANSWERED;
  const committed = isCommitted(position);
  const facts = { committed, mayBill: true };
  // The request may have been processed: that is worth one more try only.
  const unsure = { ...facts, once: true };
  if (fault.kind === 'hang' || fault.kind === 'pings') return fails('timeout', unsure);
  if (position === 'before-headers') return fails('connection', unsure);
  if (fault.kind === 'huge-line') return fails('limit-exceeded', { committed });
  if (fault.kind === 'error') return fails(fault.code ?? 'overloaded', { committed });
  return fails('stream-interrupted', fault.kind === 'reset' ? unsure : facts);
}

/** A plain answer has fewer places: before the headers, right after them, inside its body, after it. */
function plainRows(): FaultRow[] {
  const row = (name: string, title: string, fault: Fault, verdict: Verdict): FaultRow => ({
    id: `${name} plain`,
    title,
    faults: [fault],
    mode: 'plain',
    answer: 'text',
    verdict,
    ...(verdict.code === 'timeout' && { waits: true }),
  });
  const inside = { content: 1 } as const;
  const bad = fails('bad-response', { mayBill: true });
  const lost = fails('connection', { mayBill: true, once: true });
  const late = fails('timeout', { mayBill: true, once: true });
  return [
    row(
      'reset before-headers',
      'the connection breaks before the headers',
      { kind: 'reset', at: 'before-headers' },
      lost,
    ),
    row('reset after-headers', 'the connection breaks after the headers', { kind: 'reset', at: 'after-headers' }, lost),
    row('reset inside', 'the connection breaks inside the body', { kind: 'reset', at: inside }, lost),
    row('cut after-headers', 'an empty body', { kind: 'cut', at: 'after-headers' }, bad),
    row('cut inside', 'a body cut short', { kind: 'cut', at: inside }, bad),
    row('junk inside', 'a body that is no JSON', { kind: 'junk', at: inside }, bad),
    row('hang before-headers', 'silence before the headers', { kind: 'hang', at: 'before-headers' }, late),
    row('hang inside', 'silence inside the body', { kind: 'hang', at: inside }, late),
    row('pings inside', 'a body that never ends', { kind: 'pings', at: inside }, late),
    row('pause inside', 'a pause inside the body', { kind: 'pause', ms: 900, at: inside }, ANSWERED),
    row('huge-line', '2 MiB of white space before the body', { kind: 'huge-line' }, ANSWERED),
    ...CODES.map((code) =>
      row(`error-${code}`, `an error inside a 200 (${code})`, { kind: 'error', code }, fails(code)),
    ),
  ];
}
