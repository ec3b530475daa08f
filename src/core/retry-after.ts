/**
 * How long a server asks us to wait, in milliseconds; `undefined` if it does not say or says nonsense.
 * Order: `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after` (seconds or an HTTP date; a past date is 0).
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const ms = nonNegative(headers[name]);
    if (ms !== undefined) return Math.ceil(ms);
  }
  const text = headers['retry-after']?.trim();
  if (text === undefined || text === '') return undefined;
  const seconds = nonNegative(text);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  // Only real dates: Date.parse would read "-5" or "soon 7" as years.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function nonNegative(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
