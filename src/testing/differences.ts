/** Lines a diff has at most. */
const LINES_MAX = 12;
/** Characters of a value that are shown. */
const SHOWN_MAX = 80;

export interface DifferenceOptions {
  /** What the two sides are called. @defaultValue ['recorded', 'now'] */
  readonly words?: readonly [string, string];
  /** Leaves out what only the second side has. @defaultValue false */
  readonly partly?: boolean;
}

/** What differs between two values, one line a place: `messages[0].content[0].text: recorded "a", now "b"`. */
export function differences(before: unknown, after: unknown, options: DifferenceOptions = {}): string[] {
  const lines: string[] = [];
  compare(before, after, '', lines, options);
  return lines.length <= LINES_MAX ? lines : [...lines.slice(0, LINES_MAX), `… and ${lines.length - LINES_MAX} more`];
}

function compare(before: unknown, after: unknown, path: string, lines: string[], options: DifferenceOptions): void {
  if (before === after) return;
  const both = typeof before === 'object' && before !== null && typeof after === 'object' && after !== null;
  if (!both || Array.isArray(before) !== Array.isArray(after)) {
    const [one, other] = options.words ?? ['recorded', 'now'];
    lines.push(`${path === '' ? 'request' : path}: ${one} ${shown(before)}, ${other} ${shown(after)}`);
    return;
  }
  const added = options.partly === true && !Array.isArray(before) ? [] : Object.keys(after);
  for (const key of new Set([...Object.keys(before), ...added])) {
    const inner = Array.isArray(before) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    compare(Reflect.get(before, key), Reflect.get(after, key), inner, lines, options);
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
