import { invalidRequest } from './errors.ts';

/** What a caller may not set: credentials, framing and hop-by-hop headers (RFC 9110 7.6.1, read 2026-11). */
const REFUSED = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
  'set-cookie',
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Extra headers of a call, checked: no credentials, no framing, nothing that could split a header. */
export function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) throw invalidRequest('headers', 'expected an object of texts.');
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!NAME.test(name)) throw invalidRequest('headers', 'a header name holds a character that is not allowed.');
    if (REFUSED.has(lower))
      throw invalidRequest(`headers.${lower}`, 'is set by the provider; give credentials to the provider.');
    if (
      typeof value !== 'string' ||
      /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value) ||
      /[^\u0000-\u00ff]/.test(value)
    ) {
      throw invalidRequest(`headers.${lower}`, 'expected a Latin-1 text without line ends or control characters.');
    }
    checked[lower] = value;
  }
  return checked;
}
