/** Characters that begin a new line, steer a terminal or reverse the direction of text. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** Longest text of one logged field. */
export const LOG_TEXT_LENGTH_MAX = 2_000;
const DEPTH_MAX = 8;
const ITEMS_MAX = 200;

/** Text that stays on its line in any log: control characters are written as escapes, and it has an end. */
export function logSafeText(text: string, lengthMax = LOG_TEXT_LENGTH_MAX): string {
  const cut = text.length > lengthMax ? `${text.slice(0, lengthMax).toWellFormed()}…` : text;
  return cut.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as plain JSON whose every text, names of fields included, is safe to log. */
export function logSafe(value: unknown, lengthMax = LOG_TEXT_LENGTH_MAX, depth = 0): unknown {
  if (typeof value === 'string') return logSafeText(value, lengthMax);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'number' || typeof value === 'boolean' ? value : null;
  }
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => logSafe(item, lengthMax, depth + 1));
  const safe: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value).slice(0, ITEMS_MAX)) {
    if (item === undefined) continue;
    // Not by assignment: a field named __proto__ would become the prototype.
    Object.defineProperty(safe, logSafeText(name, 200), {
      value: logSafe(item, lengthMax, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return safe;
}
