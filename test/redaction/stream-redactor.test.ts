import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createRedactor,
  createStreamRedactor,
  everyDetector,
  redactText,
  type RedactionOptions,
} from '../../src/redaction/index.ts';
import { size } from '../size.ts';
import { cut, mixedText, SAMPLES } from './samples.ts';

const key = 'a key of sixteen bytes and more';
const options: RedactionOptions = { detectors: everyDetector, key, partition: 'tenant-1' };

function streamed(pieces: readonly string[], more: RedactionOptions = options): string {
  const redactor = createStreamRedactor(more);
  return pieces.map((piece) => redactor.push(piece)).join('') + redactor.end();
}

describe('createStreamRedactor', () => {
  it('gives what redactText gives at every split position of every sample (RED-01, invariant 1)', () => {
    for (const sample of SAMPLES) {
      const text = `Please note that ${sample}, thank you and goodbye.`;
      const whole = redactText(text, options).text;
      for (let at = 0; at <= text.length; at++)
        expect(streamed([text.slice(0, at), text.slice(at)]), `${sample} at ${at}`).toBe(whole);
      expect(streamed([...text]), sample).toBe(whole);
    }
  });

  it('gives what redactText gives however mixed texts are cut (RED-01, invariant 1)', () => {
    fc.assert(
      fc.property(
        mixedText,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }),
        (text, steps) => {
          const redactor = createStreamRedactor(options);
          const output =
            cut(text, steps)
              .map((piece) => redactor.push(piece))
              .join('') + redactor.end();
          const whole = redactText(text, options);
          expect(output).toBe(whole.text);
          expect(redactor.findings).toEqual(whole.findings);
        },
      ),
      { numRuns: size(400, 10_000), seed: 20261122 },
    );
  });

  it('holds back no more than the last words of plain text, and 256 units of anything undecided (RED-02)', () => {
    const redactor = createStreamRedactor(options);
    let given = 0;
    let taken = 0;
    for (const word of 'The quick brown fox jumps over the lazy dog and then walks home through the forest, quietly. '
      .repeat(5)
      .split(/(?<= )/)) {
      taken += word.length;
      given += redactor.push(word).length;
      expect(taken - given).toBeLessThanOrEqual(16);
    }
    const digits = createStreamRedactor(options);
    given = 0;
    taken = 0;
    for (let index = 0; index < 1000; index++) {
      taken += 3;
      given += digits.push('a1.').length;
      expect(taken - given).toBeLessThanOrEqual(256 + 3);
    }
  });

  it('does not hold text of scripts without spaces', () => {
    const redactor = createStreamRedactor(options);
    expect(redactor.push('漢字を書くのは')).toBe('漢字を書くのは');
  });

  it('keeps a key that is longer than the hold-back whole, and masks one that never ends', () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkq\n'.repeat(100)}-----END PRIVATE KEY-----`;
    const text = `Here it is:\n${pem}\nbye`;
    expect(streamed(cut(text, [7]))).toBe(redactText(text, options).text);
    expect(streamed(cut(text, [7]))).toMatch(/^Here it is:\n\[PRIVATE_KEY_[a-z]{14}\]\nbye$/);
    const endless = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkq\n'.repeat(2000)}`;
    const output = streamed(cut(`${endless} the end`, [50]));
    expect(output).toBe('[PRIVATE_KEY] the end');
    expect(redactText(`${endless} the end`, options).text).toBe('[PRIVATE_KEY] the end');
  });

  it('never lets a high surrogate go without its low one', () => {
    const text = `${'x'.repeat(10)}😀${'1😀'.repeat(200)}`;
    const redactor = createStreamRedactor(options);
    for (const unit of text.split('')) expect(redactor.push(unit).isWellFormed()).toBe(true);
    expect(redactor.end().isWellFormed()).toBe(true);
  });

  it('shares policy and vault with the texts of one redactor', () => {
    const redactor = createRedactor({ key });
    const { text } = redactor.text('ann@example.com');
    const stream = redactor.stream();
    expect(stream.push('I am ann@exam') + stream.push('ple.com') + stream.end()).toBe(`I am ${text}`);
    expect(redactor.vault.size).toBe(1);
  });

  it('throws in the stream when the policy blocks', () => {
    const redactor = createStreamRedactor({ actions: { CREDIT_CARD: 'block' } });
    redactor.push('card 4111 1111 1111 ');
    expect(() => redactor.push('1111, thanks ') + redactor.end()).toThrow(
      expect.objectContaining({ code: 'guardrail-blocked' }),
    );
  });
});
