import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/dialect.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { SseParser } from '../../src/core/sse.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function parse(chunks: readonly Uint8Array[]): Frame[] {
  const parser = new SseParser();
  const frames: Frame[] = [];
  for (const chunk of chunks) parser.push(chunk, (frame) => frames.push(frame));
  parser.end((frame) => frames.push(frame));
  return frames;
}

const CORPUS =
  '\uFEFF: a comment\r\nevent: message\r\ndata: {"text":"Grüße, 東京 👨‍👩‍👧 İstanbul"}\r\n\r\n' +
  'data:no space\ndata: second line\nid: 7\nretry: 10\n\n' +
  'data: {"a":"\u0085\u2028\u2029\u000B"}\r\rdata\n\nevent: ping\n\ndata: last without blank line';

describe('SseParser', () => {
  it('STR-10: ends lines at CR, LF and CRLF only', () => {
    expect(parse([bytes(CORPUS)])).toEqual([
      { event: 'message', data: '{"text":"Grüße, 東京 👨‍👩‍👧 İstanbul"}' },
      { data: 'no space\nsecond line' },
      { data: '{"a":"\u0085\u2028\u2029\u000B"}' },
      { data: '' },
      { data: 'last without blank line' },
    ]);
  });

  it('STR-09: gives the same frames when split at every byte', () => {
    const whole = bytes(CORPUS);
    const expected = parse([whole]);
    for (let at = 0; at <= whole.length; at++) {
      expect(parse([whole.subarray(0, at), whole.subarray(at)]), `split at ${at}`).toEqual(expected);
    }
    expect(parse([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('invariant 1: any chunking of any text gives the same frames', () => {
    const line = fc.oneof(
      fc.constantFrom('', 'data: x', 'data:', 'event: e', ': c', 'data: 👍', 'id: 1'),
      fc.string({ unit: 'binary' }),
    );
    const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')), { maxLength: 12 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(200)), (lines, cuts) => {
        const whole = bytes(lines.map(([content, end]) => content + end).join(''));
        const at = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
        const chunks = [0, ...at].map((from, index) => whole.subarray(from, at[index] ?? whole.length));
        expect(parse(chunks)).toEqual(parse([whole]));
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('STR-16: refuses a line without end', () => {
    const parser = new SseParser();
    const piece = bytes('x'.repeat(LIMITS.sseLineBytesMax / 2 + 1));
    parser.push(piece, () => undefined);
    expect(() => parser.push(piece, () => undefined)).toThrowError(expect.objectContaining({ code: 'limit-exceeded' }));
  });

  it('STR-16: refuses an event of endless lines', () => {
    const parser = new SseParser();
    const piece = bytes(`data: ${'x'.repeat(500_000)}\n`);
    expect(() => {
      for (let round = 0; round < 12; round++) parser.push(piece, () => undefined);
    }).toThrowError(
      expect.objectContaining({ code: 'limit-exceeded', limit: expect.objectContaining({ name: 'sseEventBytesMax' }) }),
    );
  });
});
