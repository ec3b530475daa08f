/**
 * Cuts a text so that no piece holds a longer run of one character class than `runMax`. Byte-pair encoders split
 * text into such runs first and take time quadratic in their length: 50,000 times `a` costs seconds uncut.
 *
 * Characters beyond ASCII count as letters and as symbols at once, since encoders differ on them.
 */
export function splitRuns(text: string, runMax: number): string[] {
  if (text.length <= runMax) return [text];
  const pieces: string[] = [];
  let start = 0;
  let letters = 0;
  let symbols = 0;
  let others = 0;
  let before = -1;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const now = code >= 128 ? 4 : isLetter(code) ? 0 : code <= 32 ? 1 : code >= 48 && code <= 57 ? 2 : 3;
    letters = now === 0 || now === 4 ? letters + 1 : 0;
    symbols = now === 3 || now === 4 ? symbols + 1 : 0;
    others = now === 1 || now === 2 ? (now === before ? others + 1 : 1) : 0;
    before = now;
    if (Math.max(letters, symbols, others) < runMax) continue;
    // A pair of surrogates stays together.
    const end = code >= 0xd800 && code <= 0xdbff ? index : index + 1;
    if (end > start) pieces.push(text.slice(start, end));
    start = end;
    letters = 0;
    symbols = 0;
    others = 0;
  }
  if (start < text.length) pieces.push(text.slice(start));
  return pieces;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}
