/// <reference lib="esnext.disposable" preserve="true" />
import { appendFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { aBoolean, aFunction, aList, anObject, checkOptions, oneOf, wholeNumber } from '../core/options.ts';
import type { Json } from '../operations/shared.ts';
import { differences } from './differences.ts';
import { bodyOf } from './http/request.ts';
import { loadRecordings, type Recording } from './recordings/load.ts';
import { capture } from './tape/capture.ts';
import { entryLine, headLine, readTape, type TapeEntry } from './tape/entry.ts';
import { keyOf, type MatchForm, matchForm } from './tape/match.ts';
import { type Scrubber, scrubberFor } from './tape/scrub.ts';
import { send, wait, type WirePlan, type WireStep } from './wire/plan.ts';
import { playFetch } from './wire/play-fetch.ts';

export type TapeMode = 'replay' | 'record' | 'auto' | 'passthrough';

export interface TapeOptions {
  /** `replay`: no network. `record`: everything anew. `auto`: what is missing. `passthrough`: neither. */
  readonly mode?: TapeMode;
  /** The real network. @defaultValue the global `fetch` */
  readonly fetch?: typeof globalThis.fetch;
  /** Further values that must not reach the disk. Credentials and keys are found without it. */
  readonly secrets?: readonly string[];
  /** Whether personal data is taken out too. @defaultValue true */
  readonly personal?: boolean;
  /** Request fields that do not matter for matching, like `user`. */
  readonly ignore?: readonly string[];
  /** Whether chunks come with the pauses they were recorded with. @defaultValue false */
  readonly timing?: boolean;
  /** Age from which a recording counts as stale, in days. @defaultValue 180 */
  readonly staleDays?: number;
  /** @defaultValue the system's */
  readonly clock?: Clock;
}

/** Recorded traffic behind a `fetch`: give that to a provider, or to an SDK's client. */
export interface Tape extends AsyncDisposable {
  readonly fetch: typeof globalThis.fetch;
  /** Recordings nothing asked for, as `POST /chat/completions (model)`. */
  readonly unused: readonly string[];
  /** Recordings older than `staleDays`. */
  readonly stale: readonly string[];
  /** Requests without a recording, each with what differs from the nearest. */
  readonly missing: readonly string[];
  /** Fails if a request found no recording or a recording was not used. */
  done(): void;
  /** Waits until everything is on the disk. */
  close(): Promise<void>;
}

interface Kept {
  readonly form: MatchForm;
  readonly key: string;
  readonly plan: () => Promise<WirePlan>;
  readonly at?: string;
  used: boolean;
}

const DAY_MS = 86_400_000;
const RULES = {
  mode: oneOf('replay', 'record', 'auto', 'passthrough'),
  fetch: aFunction,
  secrets: aList,
  personal: aBoolean,
  ignore: aList,
  timing: aBoolean,
  staleDays: wholeNumber(0),
  clock: anObject,
};

/**
 * Records real traffic into a file, once: credentials, keys and personal data are taken out before anything is written.
 *
 * @example
 * const tape = await record('test/recordings/weather.jsonl');
 * const gateway = createGateway({ providers: [openai({ fetch: tape.fetch })] });
 */
export function record(file: string, options: TapeOptions = {}): Promise<Tape> {
  return replay(file, { mode: 'record', ...options });
}

/**
 * Plays recorded traffic back, with no network: a file of {@link record}, or a folder with a `manifest.json`. A request
 * is matched by what it asks for, in normal form; the same request again gets the next recording of it.
 *
 * @example
 * const tape = await replay('test/recordings/weather.jsonl');
 * const client = new OpenAI({ apiKey: 'any', fetch: tape.fetch });
 */
export async function replay(path: string, options: TapeOptions = {}): Promise<Tape> {
  checkOptions('replay', options, RULES);
  const { mode = 'replay', clock = systemClock, ignore = [], staleDays = 180 } = options;
  const real = options.fetch ?? globalThis.fetch;
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const kept: Kept[] =
    mode === 'record' || mode === 'passthrough'
      ? []
      : isFolder
        ? await fromFolder(path, ignore)
        : await fromFile(path, options);
  const missing: string[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  let begun = mode === 'auto' && kept.length > 0;
  const write = (entry: TapeEntry): void => {
    writing = writing.then(async () => {
      if (!begun) {
        begun = true;
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, headLine());
      }
      await appendFile(path, entryLine(entry));
    });
  };

  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (mode === 'passthrough') return real(input, init);
    const { request, body, path: asked, scrubber } = await readRequest(input, init, options);
    // Our own recordings were scrubbed, so that is how a request finds them; a folder is as its makers left it.
    const clean = body === undefined || isFolder ? body : scrubber.json(body);
    const form = matchForm(request.method, isFolder ? asked : scrubber.path(asked), clean, ignore);
    const found = mode === 'record' ? undefined : take(kept, form);
    if (found !== undefined) return playFetch(await found.plan(), { clock, signal: init?.signal ?? undefined });
    if (mode === 'replay') return refuse(kept, form, missing);
    const response = await real(input, init);
    return capture(response, {
      clock,
      scrubber,
      request: { method: request.method, path: asked, body },
      onWhole: write,
      onLost: (reason) => void missing.push(`${describe(form)}: ${reason}`),
    });
  };
  const unused = (): string[] => kept.filter(({ used }) => !used).map(({ form }) => describe(form));
  const close = async (): Promise<void> => void (await writing);
  return {
    fetch,
    get unused() {
      return unused();
    },
    get stale() {
      const old = clock.now() - staleDays * DAY_MS;
      return kept.flatMap(({ at, form }) => (at !== undefined && Date.parse(at) < old ? [describe(form)] : []));
    },
    missing,
    done() {
      const lines = [...missing.map((line) => `  missing: ${line}`), ...unused().map((line) => `  unused: ${line}`)];
      if (lines.length > 0) throw new Error(`The recording ${path} does not fit:\n${lines.join('\n')}`);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readRequest(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  options: TapeOptions,
): Promise<{ request: Request; body: Json | undefined; path: string; scrubber: Scrubber }> {
  const request = new Request(input, { ...init, signal: null });
  const url = new URL(request.url);
  const path = url.pathname + url.search;
  const body = bodyOf(await request.text()) as Json | undefined;
  const headers = Object.fromEntries(request.headers);
  const scrubber = scrubberFor(
    { headers, path, body },
    { secrets: options.secrets ?? [], personal: options.personal ?? true },
  );
  return { request, body, path, scrubber };
}

async function fromFile(file: string, { ignore = [], timing = false }: TapeOptions): Promise<Kept[]> {
  return (await readTape(file)).map((entry) => {
    const form = matchForm(entry.method, entry.path, entry.request ?? undefined, ignore);
    return { form, key: keyOf(form), at: entry.at, used: false, plan: async () => planOf(entry, timing) };
  });
}

function planOf({ status, headers, encoding, chunks }: TapeEntry, timing: boolean): WirePlan {
  const sent = (piece: string): WireStep =>
    encoding === 'base64' ? { do: 'send', bytes: Uint8Array.from(Buffer.from(piece, 'base64')) } : send(piece);
  let last = 0;
  const body = chunks.flatMap(([ms, piece]) => {
    const pause = ms - last;
    last = ms;
    return timing && pause > 0 ? [wait(pause), sent(piece)] : [sent(piece)];
  });
  return { before: [], status, headers, body };
}

const PATHS: Readonly<Record<Recording['endpoint'], string>> = {
  'chat-completions': '/chat/completions',
  responses: '/responses',
  messages: '/messages',
  'count-tokens': '/messages/count_tokens',
  embeddings: '/embeddings',
};

/** Where the request was not kept, a recording is asked for by its name as the model. */
async function fromFolder(folder: string, ignore: readonly string[]): Promise<Kept[]> {
  const all = await loadRecordings(folder);
  return Promise.all(
    all.map(async (recording) => {
      const { provider, name, stream, status, headers, endpoint } = recording;
      const body = (await recording.request()) ?? { model: `${provider}/${name}`, ...(stream && { stream }) };
      const form = matchForm('POST', PATHS[endpoint], body, ignore);
      const plan = async (): Promise<WirePlan> => ({
        before: [],
        status,
        headers,
        body: (await recording.chunks()).map(send),
      });
      return { form, key: keyOf(form), used: false, plan };
    }),
  );
}

/** The next recording of a request; the last one again after that. */
function take(kept: readonly Kept[], form: MatchForm): Kept | undefined {
  const key = keyOf(form);
  const same = kept.filter((each) => each.key === key);
  const next = same.find(({ used }) => !used) ?? same.at(-1);
  if (next !== undefined) next.used = true;
  return next;
}

function refuse(kept: readonly Kept[], form: MatchForm, missing: string[]): Response {
  const near = kept
    .map((each) => differences(each.form, form))
    .sort((one, other) => one.length - other.length)
    .at(0);
  const why = near === undefined ? 'there are no recordings' : `the nearest differs in\n    ${near.join('\n    ')}`;
  const message = `No recording of ${describe(form)}: ${why}`;
  missing.push(message);
  const error = { type: 'invalid_request_error', code: 'recording_not_found', param: null, message };
  return Response.json({ type: 'error', error }, { status: 400, headers: { 'x-should-retry': 'false' } });
}

function describe({ method, path, stream, request }: MatchForm): string {
  const model = Reflect.get((request ?? {}) as object, 'model') as unknown;
  return `${method} ${path} (${typeof model === 'string' ? model : 'no model'}${stream ? ', streamed' : ''})`;
}
