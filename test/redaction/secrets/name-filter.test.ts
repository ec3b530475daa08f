import { describe, expect, it } from 'vitest';
import { nameFilter } from '../../../src/redaction/secrets/name-filter.ts';
import { vendors } from '../../../src/redaction/secrets/vendor-rules.ts';

const words = ['token', 'pwd', 'key$', ...vendors().flatMap(({ names }) => names)];
const mayBeNamed = nameFilter(words);
const before = (text: string): boolean => mayBeNamed(new TextEncoder().encode(text), text.length - 1);

describe('nameFilter', () => {
  it.each(words.map((word) => word.replace('$', '')))('lets %s pass, in any case and with joints', (word) => {
    const joined = [...word].join('_');
    for (const name of [word, word.toUpperCase(), joined, `my.${word}-9`, `"${word}" `])
      expect(before(`{ ${name}=`)).toBe(true);
  });

  it('ends most names, and stops at what is none', () => {
    for (const text of ['colour=', '12:', ':', 'token, colour=', 'token     =']) expect(before(text)).toBe(false);
  });
});
