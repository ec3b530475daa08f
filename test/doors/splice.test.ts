import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spansOf } from '../../src/doors/json-spans.ts';
import { sameJson, splice } from '../../src/doors/splice.ts';
import type { JsonObject } from '../../src/operations/shared.ts';
import { size } from '../size.ts';

const TEXT = `{ "model":"gpt", "big": 9007199254740993,\n "temperature":1.0, "messages": [ {"role":"user","content":"h\\u00e9"} , {"role":"user","content":"b"}], "2":1,"1":2 , "z":{"a":1e3,"b":null} }`;
const body = JSON.parse(TEXT) as JsonObject;
const edit = (change: (draft: Record<string, never>) => void): JsonObject => {
  const draft = structuredClone(body) as Record<string, never>;
  change(draft);
  return draft;
};
/** The text with the edit, and the text around it as it was. */
const spliced = (after: JsonObject): string => splice(TEXT, body, after, 'values') as string;

describe('splicing edits into the caller’s own text', () => {
  it('changes nothing when nothing changed', () => {
    expect(spliced(body)).toBe(TEXT);
  });

  it('replaces one value and keeps every other byte (P03)', () => {
    const after = edit((draft) =>
      Object.assign((draft['messages'] as unknown as object[])[1] as object, { content: 'new' }),
    );
    expect(spliced(after)).toBe(TEXT.replace('"content":"b"', '"content":"new"'));
  });

  it('keeps numbers beyond 2^53, spellings and integer-like keys (P01)', () => {
    const after = edit((draft) => Object.assign(draft, { model: 'other' }));
    const text = spliced(after);
    expect(text).toBe(TEXT.replace('"gpt"', '"other"'));
    expect(text).toContain('9007199254740993');
    expect(text).toContain('1.0');
    expect(text).toContain('\\u00e9');
  });

  it('adds a key before the closing brace and takes one out with its comma', () => {
    const after = edit((draft) => {
      delete (draft as Record<string, unknown>)['temperature'];
      Object.assign(draft, { top_p: 0.5 });
    });
    const text = spliced(after);
    expect(JSON.parse(text)).toEqual(after);
    expect(text).toContain('"z":{"a":1e3,"b":null},"top_p":0.5 }');
  });

  it('adds and removes items of a list without writing the others anew', () => {
    const [first, second] = body['messages'] as JsonObject[];
    const system = { role: 'system', content: 's' };
    const added = spliced(edit((draft) => Object.assign(draft, { messages: [system, first, second] })));
    expect(added).toContain('[ {"role":"system","content":"s"},{"role":"user","content":"h\\u00e9"} , {');
    const trimmed = spliced(edit((draft) => Object.assign(draft, { messages: [second] })));
    expect(JSON.parse(trimmed).messages).toEqual([second]);
    expect(trimmed).toContain('9007199254740993');
  });

  it('writes any edit of any JSON text (property)', () => {
    const json = fc.jsonValue({ depthSize: 'small' });
    const object = fc.dictionary(
      fc.string({ maxLength: 4 }).filter((key) => key !== '__proto__'),
      json,
      { maxKeys: 5 },
    );
    fc.assert(
      fc.property(object, object, fc.integer({ min: 0, max: 3 }), (before, after, indent) => {
        const text = JSON.stringify(before, null, indent);
        const merged = { ...before, ...after };
        for (const target of [after, merged]) {
          for (const depth of ['values', 'keys'] as const) {
            const result = splice(text, JSON.parse(text) as JsonObject, target as JsonObject, depth);
            expect(sameJson(JSON.parse(result as string), JSON.parse(JSON.stringify(target)))).toBe(true);
          }
        }
      }),
      { seed: 4, numRuns: size(300, 5000) },
    );
  });

  it('finds the spans of every value (property)', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 0, max: 2 }), (compact, indent) => {
        const text = JSON.stringify(JSON.parse(compact), null, indent);
        const span = spansOf(text);
        expect(span && text.slice(span.start, span.end)).toBe(text);
      }),
      { seed: 4, numRuns: size(300, 5000) },
    );
  });

  it('gives up on what is no JSON or too deep', () => {
    for (const text of ['', '{', '{"a":}', '[1,]x', '{"a" 1}', '"open', `${'['.repeat(200)}${']'.repeat(200)}`]) {
      expect(spansOf(text)?.members).toBeUndefined();
    }
  });
});
