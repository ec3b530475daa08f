import { describe, expect, it } from 'vitest';
import { everyDetector, inspect, redactText } from '../../src/redaction/index.ts';
import { size } from '../size.ts';
import { SAMPLES } from './samples.ts';

/** Pieces that, repeated, make a scanner look far or look twice. */
const PUMPS: readonly string[] = [
  'a@',
  'a-',
  'a.',
  '@',
  '.',
  ':',
  '::',
  'a:',
  '1 ',
  '11 ',
  '111-',
  '1.',
  '1:',
  '+1 ',
  '+1111111 ',
  '(1) ',
  '-',
  '-----BEGIN ',
  '-----BEGIN RSA PRIVATE KEY-----',
  'token=',
  'token=~a1',
  'token=/a1b2c3d4e5',
  'http://',
  '(http://a',
  '/http://',
  'ey',
  'eyJ',
  'eyJaaaaaaaaaaaaaaaaaaa.',
  'sk-',
  'sk_live_',
  'AB 12 ',
  'AA ',
  'A1 ',
  '4111 ',
  '[',
  '[A',
  '[A_a',
  'password: ',
  'Authorization: Bearer ',
  '-u a:b1',
  '1/1/',
  '2021-01-01T',
  'May 1 ',
  'DE89 3704 ',
  'user:pass@',
  '//a:b',
  '123456789 ',
  'ssn 123456789 ',
  '0Q~a',
  '"',
  'é',
  '漢',
  '😀',
];

/** Fastest of a few turns, in milliseconds: the machine may be busy, the code is not slower than its fastest. */
function fastest(text: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 2; turn++) {
    const start = performance.now();
    inspect(text, { detectors: everyDetector });
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

describe('every detector is linear (SEC-07)', () => {
  const units = size(2500, 40_000);
  // Measured again when the machine was busy with something else just then; a quadratic scanner fails every time.
  it.each([...PUMPS, ...SAMPLES.map((sample) => `${sample} `)])('on %j, over and over', { retry: 5 }, (pump) => {
    const small = fastest(pump.repeat(Math.ceil(units / pump.length)).slice(0, units));
    const large = fastest(pump.repeat(Math.ceil((8 * units) / pump.length)).slice(0, 8 * units));
    // Eight times the text takes about eight times as long; a quadratic scanner takes 64 times.
    expect(large).toBeLessThan(Math.max(20, 28 * small));
  });

  it('reads the worst text of the common e-mail expression in no time (RED-07, P21)', () => {
    const text = `a@${'a-'.repeat(500_000)}`;
    const start = performance.now();
    expect(redactText(text, { detectors: everyDetector }).text).toBe(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
