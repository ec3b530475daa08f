import type { DialectEnvironment, ResponseHead } from '../../core/dialect.ts';
import { codeOfStatus, providerError } from '../../core/error-facts.ts';
import type { ErrorCode, ErrorFacts, GatewayError } from '../../core/errors.ts';
import { arrayOf, parseJson, recordOf, stringOf } from '../../core/wire-json.ts';
import { GENERIC, MESSAGES, SPECIFIC } from './error-table.ts';

type Wire = Readonly<Record<string, unknown>>;
const MESSAGE_LENGTH_MAX = 2_000;

/** What an error body says, whatever its shape. */
interface Said {
  /** Codes and types from the most to the least telling. */
  readonly names: readonly string[];
  readonly message: string | undefined;
  readonly status: number | undefined;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Whether a 2xx body is an error all the same: OpenRouter and others send 200 and mean it not. */
export function isError(body: unknown): boolean {
  if (Array.isArray(body)) return recordOf(body[0])?.['error'] !== undefined;
  const wire = recordOf(body);
  if (wire === undefined) return false;
  if (wire['error']) return true;
  if (wire['object'] === 'error') return true;
  if (wire['choices'] === undefined && wire['data'] === undefined) {
    return wire['detail'] !== undefined || (wire['type'] === 'error' && wire['message'] !== undefined);
  }
  return recordOf(recordOf(arrayOf(wire['choices'])[0])?.['error']) !== undefined;
}

/** Any failure status, or an error inside a 200, as our error. The server's words go into `providerMessage` only. */
export function decodeError(body: unknown, head: ResponseHead, environment: DialectEnvironment): GatewayError {
  const said = read(body);
  const status = head.status >= 400 || said.status === undefined ? head.status : said.status;
  const code = codeOf(said, status);
  const name = said.names.find((one) => /^[\w.:/-]{1,64}$/.test(one));
  const inBody = status >= 200 && status < 300;
  const more: ErrorFacts = {
    ...(status !== head.status && { status }),
    // A status inside a 200 is told by the code, so that it is judged as the same failure over HTTP (STR-04).
    ...(inBody && STATUS[code] !== undefined && { status: STATUS[code] }),
    ...(name !== undefined && { providerCode: name }),
    ...(said.field !== undefined && { field: said.field }),
    // The model's own words did not fit its tool or schema: another model may do better.
    ...(said.names.some((one) => one === 'tool_use_failed' || one === 'json_validate_failed') && {
      fallbackable: true,
    }),
  };
  const error = providerError(code, said.message, head, environment.target, environment.nowMs, more);
  // Headers know better than bodies how long to wait.
  const wait = error.retryAfterMs === undefined && error.retryable ? said.retryAfterMs : undefined;
  return wait === undefined ? error : error.with({ retryAfterMs: wait });
}

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  'invalid-request': 400,
  authentication: 401,
  permission: 403,
  'not-found': 404,
  'rate-limited': 429,
  'quota-exceeded': 429,
  overloaded: 503,
  unavailable: 500,
  timeout: 504,
  'context-too-long': 400,
  'request-too-large': 413,
  'content-filtered': 400,
};

function codeOf(said: Said, status: number): ErrorCode {
  if (status >= 300 && status < 400) return 'bad-response';
  for (const name of said.names) {
    const key = name.toLowerCase();
    if (!Object.hasOwn(SPECIFIC, key)) continue;
    const code = SPECIFIC[key] as ErrorCode;
    // Groq: one request larger than the whole allowance of a minute. Waiting does not make it smaller.
    return code === 'rate-limited' && status === 413 ? 'request-too-large' : code;
  }
  const good = status >= 200 && status < 300;
  if (said.message !== undefined) {
    for (const { code, statuses, pattern } of MESSAGES) {
      if (statuses.includes(good ? 200 : status) && pattern.test(said.message)) return code;
    }
  }
  if (!good) return codeOfStatus(status);
  for (const name of said.names) {
    const key = name.toLowerCase();
    if (Object.hasOwn(GENERIC, key)) return GENERIC[key] as ErrorCode;
  }
  return 'unavailable';
}

/** Reads what servers send: objects in `error`, bare strings, FastAPI `detail`, arrays of one, HTML, nothing. */
function read(body: unknown, depth = 0): Said {
  if (typeof body === 'string') {
    const json = body.trimStart().startsWith('{') && depth < 2 ? parseJson(body) : undefined;
    return json === undefined ? saying(textOfPage(body)) : read(json, depth + 1);
  }
  if (Array.isArray(body)) return read(body[0], depth);
  const wire = recordOf(body);
  if (wire === undefined) return saying(undefined);
  const inner = wire['error'] ?? recordOf(arrayOf(wire['choices'])[0])?.['error'];
  if (typeof inner === 'string') return { ...saying(inner), names: namesOf(wire), status: statusOf(wire) };
  const error = recordOf(inner);
  if (error !== undefined) return readError(error, depth);
  if (wire['detail'] !== undefined) return readDetail(wire);
  return readError(wire, depth);
}

function readError(error: Wire, depth: number): Said {
  const metadata = recordOf(error['metadata']);
  const details = arrayOf(error['details']).flatMap((one): Wire[] => [recordOf(one) ?? {}]);
  const message = textOf(error['message']) ?? textOf(error['error']) ?? textOf(error['msg']);
  // OpenRouter passes on what the provider behind it said, as text.
  const raw = depth < 2 && metadata?.['raw'] !== undefined ? read(metadata['raw'], depth + 1) : undefined;
  const flagged =
    metadata !== undefined && (metadata['reasons'] !== undefined || metadata['flagged_input'] !== undefined);
  const innerError = recordOf(error['innererror']) ?? recordOf(error['inner_error']);
  const names = [
    ...namesOf(error),
    ...(innerError === undefined ? [] : namesOf(innerError)),
    ...details.flatMap((detail) => stringOf(detail['reason']) ?? []),
    ...(flagged ? ['content_filter'] : []),
    ...(raw?.names ?? []),
  ];
  const whole = raw?.message === undefined ? message : [message, raw.message].filter(Boolean).join(' ');
  return {
    ...saying(whole),
    names: isDailyQuota(details) ? ['insufficient_quota', ...names] : names,
    status: statusOf(error) ?? raw?.status,
    field: stringOf(error['param']),
    retryAfterMs: delayOf(details) ?? waitIn(whole),
  };
}

function readDetail(wire: Wire): Said {
  const first = recordOf(arrayOf(wire['detail'])[0]);
  if (first === undefined) return { ...saying(textOf(wire['detail'])), names: namesOf(wire) };
  const field = arrayOf(first['loc'])
    .filter((step) => step !== 'body')
    .join('.');
  return { ...saying(stringOf(first['msg'])), field: field === '' ? undefined : field };
}

function saying(message: string | undefined): Said {
  const said = message?.slice(0, MESSAGE_LENGTH_MAX);
  return { names: [], message: said, status: undefined, field: undefined, retryAfterMs: waitIn(said) };
}

/** Codes first, types after: a code is the narrower word. */
function namesOf(error: Wire): string[] {
  const names: string[] = [];
  for (const key of ['code', 'type', 'status'] as const) {
    const value = error[key];
    if (typeof value === 'string' && value !== '') names.push(value);
    // Four digits are a server's own numbering; three are an HTTP status.
    else if (typeof value === 'number' && value > 999) names.push(String(value));
  }
  return names;
}

function statusOf(error: Wire): number | undefined {
  for (const key of ['code', 'status', 'status_code', 'statusCode', 'http_status']) {
    const value = Number(error[key]);
    if (Number.isInteger(value) && value >= 400 && value < 600) return value;
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}

/** The text of an HTML page without its tags, so that patterns do not read markup. */
function textOfPage(body: string): string | undefined {
  const text = body.slice(0, 20_000);
  if (!/^\s*<(!doctype|html)/i.test(text)) return text === '' ? undefined : text;
  return stringOf(/<title>([^<]{0,200})/i.exec(text)?.[1]) ?? 'an HTML page';
}

/** Gemini tells a daily quota from a passing limit in its details. */
function isDailyQuota(details: readonly Wire[]): boolean {
  return details.some((detail) =>
    arrayOf(detail['violations']).some((one) => /PerDay/i.test(stringOf(recordOf(one)?.['quotaId']) ?? '')),
  );
}

function delayOf(details: readonly Wire[]): number | undefined {
  for (const detail of details) {
    const match = /^(\d+(?:\.\d+)?)s$/.exec(stringOf(detail['retryDelay']) ?? '');
    if (match !== null) return Math.round(Number(match[1]) * 1000);
  }
  return undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `Please try again in 1m2.5s`: OpenAI and Groq write it into the message. */
function waitIn(message: string | undefined): number | undefined {
  const match = /try again in ((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)/i.exec(message ?? '');
  if (match === null) return undefined;
  let total = 0;
  for (const [, count, unit] of (match[1] as string).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gi)) {
    total += Number(count) * (UNIT_MS[(unit as string).toLowerCase()] ?? 0);
  }
  return Math.round(total);
}
