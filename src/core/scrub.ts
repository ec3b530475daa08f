import { type GatewayError, oneLine } from './errors.ts';

const SECRET_LENGTH_MIN = 8;
const OVERLAP_LENGTH = 10;

/**
 * Shows as much of the provider's own message as is safe: known secrets go, and so does whatever repeats text of the
 * request for ten characters or more.
 */
export function withSafeMessage(error: GatewayError, secrets: readonly string[], requestBody: unknown): GatewayError {
  const said = error.providerMessage;
  if (said === undefined || said.trim() === '' || error.target === undefined) return error;
  const safe = scrub(oneLine(said), secrets, textOf(requestBody));
  if (safe.replace(/[…\s]/g, '').length < 4) return error;
  const code = error.providerCode === undefined ? '' : ` (${error.providerCode})`;
  return error.with(
    {},
    `${error.target.provider}/${error.target.model} answered ${error.status ?? 'with an error'}${code}: ${safe}`,
  );
}

/** The text without secrets (whole, or any eight characters of one) and without echoes of the request. */
export function scrub(text: string, secrets: readonly string[], request: string): string {
  let safe = text;
  for (const secret of secrets) {
    if (secret.length < SECRET_LENGTH_MIN) continue;
    for (const form of new Set([secret, encodeURIComponent(secret), base64(secret)])) {
      safe = replaceOverlaps(safe, form, SECRET_LENGTH_MIN, '[secret]');
    }
  }
  // A key that is not ours still looks like one.
  safe = safe.replace(/\b(?:sk|pk|rk|xai|gsk|hf|AIza|Bearer)[-_ ][A-Za-z0-9*._-]{6,}/g, '[secret]');
  return request === '' ? safe : replaceOverlaps(safe, request, OVERLAP_LENGTH, '…');
}

/** Replaces every run of `text` that also stands in `other`, if it is at least `length` long. */
function replaceOverlaps(text: string, other: string, length: number, mark: string): string {
  let result = '';
  for (let at = 0; at < text.length; ) {
    if (at + length <= text.length && other.includes(text.slice(at, at + length))) {
      let end = at + length;
      while (end < text.length && other.includes(text.slice(end - length + 1, end + 1))) end++;
      result += mark;
      at = end;
    } else {
      result += text[at++];
    }
  }
  return result;
}

function base64(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

/** All string values of a request that a person may have written, one a line. Names of fields are not among them. */
function textOf(body: unknown, depth = 0): string {
  if (typeof body === 'string') return `${body}\n`;
  if (typeof body !== 'object' || body === null || depth > 32) return '';
  let text = '';
  for (const [key, value] of Object.entries(body)) {
    if (key !== 'model' && key !== 'type' && key !== 'role') text += textOf(value, depth + 1);
  }
  return text;
}
