import type { Json } from './shared.ts';

/**
 * The value of JSON text that is still arriving: what is complete, with open strings, lists and objects closed where
 * they stand. `undefined` while nothing can be said.
 */
export function parsePartialJson(text: string): Json | undefined {
  const trimmed = text.trimStart();
  if (trimmed === '') return undefined;
  for (const candidate of closings(trimmed)) {
    try {
      return JSON.parse(candidate) as Json;
    } catch {
      // The next candidate drops more of the tail.
    }
  }
  return undefined;
}

/** The text closed at its end, then closed at earlier and earlier safe places. */
function* closings(text: string): Generator<string> {
  const open: string[] = [];
  /** Positions after a complete value, with what was open there. */
  const safe: { at: number; close: string }[] = [];
  let inString = false;
  let escaped = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index] as string;
    if (inString) {
      if (escaped) escaped = false;
      else if (char === '\\') escaped = true;
      else if (char === '"') inString = false;
      continue;
    }
    if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      open.push(char === '{' ? '}' : ']');
      safe.push({ at: index + 1, close: open.toReversed().join('') });
    } else if (char === '}' || char === ']') {
      open.pop();
      safe.push({ at: index + 1, close: open.toReversed().join('') });
    } else if (char === ',') safe.push({ at: index, close: open.toReversed().join('') });
    if (safe.length > 4) safe.shift();
  }
  const close = open.toReversed().join('');
  if (inString) {
    const whole = escaped ? text.slice(0, -1) : text.replace(/\\u[0-9a-fA-F]{0,3}$/, '');
    yield `${whole}"${close}`;
  } else {
    yield text + close;
    // A literal on its way: tru, fals, nul, 12. and the like become what they must become, or go.
    const literal = /(t(?:r|ru|rue)?|f(?:a|al|als|alse)?|n(?:u|ul|ull)?)$/.exec(text)?.[0];
    if (literal !== undefined) {
      const word = { t: 'true', f: 'false', n: 'null' }[literal[0] as 't' | 'f' | 'n'];
      yield text.slice(0, -literal.length) + word + close;
    }
  }
  for (const { at, close: closing } of safe.toReversed()) yield text.slice(0, at) + closing;
}
