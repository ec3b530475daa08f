import { connect } from 'node:net';
import type { Limit, LimitState } from '../../src/core/counter-store.ts';

/** How a limit stood: spent and held. */
export interface Standing {
  readonly used: number;
  readonly held: number;
}

/** One decision of a store, in the order in which it made them. */
export interface Decision {
  readonly operation: 'reserve' | 'settle' | 'release' | 'lease' | 'remaining';
  readonly id: string;
  /** Wall time of the store. */
  readonly now: number;
  /** Totals and places: what is asked for (`reserve`), or what would be charged (`settle`). */
  readonly limits?: readonly Limit[];
  readonly ttlMs?: number;
  readonly actual?: Readonly<Record<string, number>>;
  /** What the caller was told. Absent: it was dead by then. */
  readonly told?: { readonly admitted?: boolean; readonly status?: string; readonly states: readonly Standing[] };
  /** What the store wrote down, by key, where that can be seen. */
  readonly written?: ReadonlyMap<string, Standing>;
}

export interface Verdict {
  readonly decisions: number;
  readonly admitted: number;
  readonly denied: number;
  /** Decisions that only the store knows of. */
  readonly unheard: number;
  /** Leases that nobody ended. */
  readonly expired: number;
  /** By key: the most that was spent and held at any point, without what came late. */
  readonly most: ReadonlyMap<string, number>;
  /** By key: spent by those that ended after their lease had. It was spent all the same, so it may be above a limit. */
  readonly late: ReadonlyMap<string, number>;
  readonly end: ReadonlyMap<string, Standing>;
}

interface Open {
  readonly limits: readonly Limit[];
  expiresAt: number;
}

/**
 * Runs a history through a sequential model of totals and places, one decision after the other. Throws at the first
 * one that was told or written differently, and at the first point at which a limit is exceeded.
 */
export function checkHistory(history: Iterable<Decision>): Verdict {
  const used = new Map<string, number>();
  const open = new Map<string, Open>();
  /** Leases that ended before their calls did: a process that was held up still settles what it spent. */
  const lapsed = new Map<string, Open>();
  const late = new Map<string, number>();
  const settled = new Set<string>();
  const maximum = new Map<string, number>();
  const most = new Map<string, number>();
  const counts = { decisions: 0, admitted: 0, denied: 0, unheard: 0, expired: 0 };
  const held = (key: string): number => {
    let sum = 0;
    for (const { limits } of open.values()) for (const one of limits) if (one.key === key) sum += Number(one.amount);
    return sum;
  };
  const standing = (key: string): Standing => ({ used: used.get(key) ?? 0, held: held(key) });
  const charge = (limits: readonly Limit[], actual: Readonly<Record<string, number>>, isLate: boolean): void => {
    for (const { kind, key, unit = '', amount } of limits) {
      if (kind === 'concurrency') continue;
      const spent = actual[unit] ?? Number(amount);
      used.set(key, (used.get(key) ?? 0) + spent);
      if (isLate) late.set(key, (late.get(key) ?? 0) + spent);
    }
  };
  const fail = (decision: Decision, what: string): never => {
    throw new Error(`decision ${counts.decisions} (${decision.operation} ${decision.id}): ${what}`);
  };

  for (const decision of history) {
    const { operation, id, now, told } = decision;
    counts.decisions++;
    if (told === undefined) counts.unheard++;
    for (const [name, { expiresAt }] of open) {
      if (expiresAt > now) continue;
      lapsed.set(name, open.get(name) as Open);
      open.delete(name);
      counts.expired++;
    }
    let status: string | undefined;
    let limits = decision.limits ?? [];
    if (operation === 'reserve') {
      for (const { key, maximum: top } of limits) maximum.set(key, Number(top));
      const known = open.has(id) || lapsed.has(id) || settled.has(id);
      const fits = limits.every((one) => {
        const state = standing(one.key);
        return state.used + state.held + Number(one.amount) <= Number(one.maximum);
      });
      if (!known && fits) open.set(id, { limits, expiresAt: now + (decision.ttlMs ?? 0) });
      counts[known || fits ? 'admitted' : 'denied']++;
      if (told !== undefined && told.admitted !== (known || fits)) {
        fail(decision, `was ${told.admitted ? 'admitted' : 'denied'}, and the model says otherwise`);
      }
    } else if (operation === 'settle' || operation === 'release') {
      const reservation = open.get(id) ?? lapsed.get(id);
      status = settled.has(id) ? 'repeated' : operation === 'settle' ? 'settled' : 'released';
      if (reservation === undefined && !settled.has(id) && limits.length === 0) status = 'unknown';
      if (status === 'settled') {
        charge(reservation?.limits ?? limits, decision.actual ?? {}, lapsed.has(id));
        settled.add(id);
      }
      limits = status === 'settled' || status === 'released' ? (reservation?.limits ?? limits) : [];
      open.delete(id);
      lapsed.delete(id);
    } else if (operation === 'lease') {
      const reservation = open.get(id);
      if (reservation !== undefined) reservation.expiresAt = now + (decision.ttlMs ?? 0);
    }
    if (told?.status !== undefined && status !== undefined && told.status !== status) {
      fail(decision, `was ${told.status}, and the model says ${status}`);
    }
    for (const [index, state] of (told?.states ?? []).entries()) {
      const expected = standing((limits[index] as Limit).key);
      if (state.used !== expected.used || state.held !== expected.held) {
        fail(decision, `told ${JSON.stringify(state)}, the model has ${JSON.stringify(expected)}`);
      }
    }
    for (const [key, state] of decision.written ?? []) {
      const expected = standing(key);
      if (state.used !== expected.used || state.held !== expected.held) {
        fail(decision, `wrote ${JSON.stringify(state)}, the model has ${JSON.stringify(expected)}`);
      }
    }
    for (const [key, top] of maximum) {
      const state = standing(key);
      const inTime = state.used + state.held - (late.get(key) ?? 0);
      most.set(key, Math.max(most.get(key) ?? 0, inTime));
      if (inTime > top) fail(decision, `${key} stands at ${JSON.stringify(state)} of ${top}`);
    }
  }
  return { ...counts, most, late, end: new Map([...maximum.keys()].map((key) => [key, standing(key)])) };
}

/** What a store in this process was asked and told, as it happens. */
export function standings(states: readonly LimitState[]): Standing[] {
  return states.map(({ used, held }) => ({ used, held }));
}

/** One raw answer of Redis that a worker heard. */
export interface Heard {
  readonly operation: string;
  readonly id: string;
  readonly reply: readonly string[];
}

const MARK = 'the-end-of-the-history';

/** Writes down everything one Redis executes, in its order. */
export async function monitorRedis(socket: string): Promise<{ stop(): Promise<readonly string[]> }> {
  const connection = connect(socket);
  const pieces: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    connection.once('error', reject);
    connection.once('data', () => resolve());
    connection.once('connect', () => connection.write('MONITOR\r\n'));
  });
  connection.on('data', (piece: Buffer) => void pieces.push(piece));
  return {
    async stop() {
      // What was executed is sent in order, so a mark of ours comes last.
      const marking = connect(socket, () => marking.write(`PING ${MARK}\r\n`));
      while (!Buffer.concat(pieces).includes(MARK)) await new Promise((resolve) => connection.once('data', resolve));
      marking.destroy();
      connection.destroy();
      return Buffer.concat(pieces).toString('latin1').split('\r\n');
    },
  };
}

/** The decisions of one counter store in what a monitor wrote, with what the callers heard. */
export function decisionsOf(lines: readonly string[], prefix: string, heard: readonly Heard[]): Decision[] {
  const answers = new Map<string, (readonly string[])[]>();
  for (const { operation, id, reply } of heard) {
    const name = `${operation} ${id}`;
    answers.set(name, [...(answers.get(name) ?? []), reply]);
  }
  const decisions: { decision: Decision; written: Map<string, Standing>; now?: number }[] = [];
  for (const line of lines) {
    const match = /^\+?\d+\.\d{6} \[\d+ ([^\]]+)\] (.*)$/.exec(line);
    if (match === null) continue;
    const [, from, command = ''] = match;
    const words = [...command.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => plain(word));
    const [name = '', key = ''] = words;
    if (from === 'lua') {
      const last = decisions.at(-1);
      // The time by which the store looks for ended leases; the monitor's own is later on a busy machine.
      if (name.toUpperCase() === 'ZRANGEBYSCORE' && key.startsWith(`{${prefix}}:l:`) && last !== undefined) {
        last.now = Number(words[3]);
      }
      if (name.toUpperCase() === 'HSET' && key.startsWith(`{${prefix}}:s:`)) {
        last?.written.set(keyOf(key, prefix), { used: Number(words[3]), held: Number(words[9]) });
      }
    } else if (name.toLowerCase() === 'evalsha' && words[3]?.startsWith(`{${prefix}}:`) === true) {
      const written = new Map<string, Standing>();
      const [operation = '', , id = '', ...rest] = words.slice(3 + Number(words[2]));
      const reply = answers.get(`${operation} ${id}`)?.shift();
      decisions.push({ decision: decision(operation, id, rest, reply, written), written });
    }
  }
  // Who looks at no leases changes nothing, so the time before it will do.
  let time = 0;
  return decisions.map(({ decision: made, now }) => {
    time = now ?? time;
    return { ...made, now: time };
  });
}

function decision(
  operation: string,
  id: string,
  [counted = '', shown = '', sixth = '']: readonly string[],
  reply: readonly string[] | undefined,
  written: ReadonlyMap<string, Standing>,
): Decision {
  const keys = shown === '' ? [] : (JSON.parse(shown) as { key: string }[]);
  const rows = counted === '' ? [] : (JSON.parse(counted) as [Limit['kind'], string, number, number][]);
  const limits = rows.map(([kind, unit, maximum, amount], index) => {
    return { kind, unit, maximum, amount, key: keys[index]?.key ?? '' } as Limit;
  });
  const base = { operation: operation as Decision['operation'], id, now: 0, limits, written };
  const timed = { ...base, ...((operation === 'reserve' || operation === 'lease') && { ttlMs: Number(sixth) }) };
  const asked = operation === 'settle' ? { ...timed, actual: JSON.parse(sixth) as Record<string, number> } : timed;
  if (reply === undefined) return asked;
  const [first = ''] = reply;
  if (operation === 'lease') return { ...asked, told: { states: [] } };
  const ends = operation === 'settle' || operation === 'release';
  const states = facts(reply.slice(ends ? 3 : 2));
  const told = ends ? { status: first, states } : { admitted: first === '1', states };
  return { ...asked, told };
}

/** Five numbers a limit, of which the first two are what is used and held. */
function facts(numbers: readonly string[]): Standing[] {
  const states: Standing[] = [];
  for (let index = 0; index < numbers.length; index += 5) {
    states.push({ used: Number(numbers[index]), held: Number(numbers[index + 1]) });
  }
  return states;
}

/** The limit's own key, behind the prefix and its kind. */
function keyOf(stateKey: string, prefix: string): string {
  return stateKey.slice(`{${prefix}}:s:`.length).replace(/^[tc]:/, '');
}

/** Undoes the escapes of MONITOR. */
function plain(word: string): string {
  if (!word.includes('\\')) return word;
  const signs: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };
  return word.replace(/\\(x[0-9a-f]{2}|.)/g, (_all, sign: string) =>
    sign.length > 1 ? String.fromCharCode(Number.parseInt(sign.slice(1), 16)) : (signs[sign] ?? sign),
  );
}
