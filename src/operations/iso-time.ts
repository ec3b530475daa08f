/** The second last written, as text up to its point: writing a date anew costs more than decoding a short answer. */
let second = Number.NaN;
let written = '';

/** Milliseconds since the epoch as `2026-01-31T12:00:00.000Z`: what `Date.toISOString` gives. */
export function isoTime(ms: number): string {
  const whole = Math.floor(ms / 1000);
  if (whole !== second) {
    written = new Date(whole * 1000).toISOString().slice(0, -4);
    second = whole;
  }
  return `${written}${String(Math.floor(ms - whole * 1000)).padStart(3, '0')}Z`;
}
