import { readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';

/** Folder of the fixtures beside the repository, or undefined where there is none. */
export const fixtures: string | undefined = (() => {
  const folder = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));
  return existsSync(folder) ? folder : undefined;
})();

export function rowsOf<T>(name: string): T[] {
  if (fixtures === undefined) return [];
  return readFileSync(`${fixtures}${name}`, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

/** Pieces that hold personal data or secrets, made up for the tests from the definitions. */
export const SAMPLES: readonly string[] = [
  'ann.lee+news@mail.example.co.uk',
  'jörg@bücher.example',
  '+44 20 7946 0958',
  '(415) 555-0132 ext. 12',
  '+46 (0)70 174 06 05',
  '4111 1111 1111 1111',
  '5555555555554444',
  'DE89 3704 0044 0532 0130 00',
  'GB29NWBK60161331926819',
  '10.20.30.40',
  '2001:db8::8a2e:370:7334',
  '01:23:45:67:89:AB',
  'SSN 536-22-1234',
  '1EG4-TE5-MK73',
  'NINO AB 12 34 56 C',
  'SW1A 1AA',
  'S1234567D',
  '960121-1234567',
  '111.444.777-35',
  'ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8',
  'AKIAQ3EGRMLH5TNCV4ZP',
  'password = "tr0ub4dor&3xyz"',
  'https://ann:s3cretpass@db.example.com/x',
  'Authorization: Bearer 9f8e7d6c5b4a39281706',
  'eyJhbGciOiJIUzI1NiJ9abc.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N',
  'May 1st, 1977',
  '2024-06-05T09:15:30Z',
  '34 ABC 1234',
  '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
  '-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq9\nq3sJ8kV0uYhT\n-----END RSA PRIVATE KEY-----',
  'born 7/14/1995',
  '655 437 108 office',
  'curl -u ann:h8Kq2pLw9Zx',
  'my api key is OEEBXPcrggRo3uXhCGtB4aoHslMXdJ7F',
  'the password for the old server is tr0ub4dor&3xyz',
  '<add key="ClearTextPassword" value="Zq7kPw2mXb9T" />',
  'SECRET_KEY = "(u7d#k2^p9!m4&z1@x8w_q5v+t3"',
  'BIC: DEUTDEFF',
  'Kennzeichen WÜ-AB 123',
  '(+351) 912 681 168',
  '08 - 123 45 67',
  '131052+308T',
  'example.com/a?b=c',
  'http://münchen.de/a_(b)',
  'driver licence DOEJ**A123BC',
];

/** Pieces without: words, signs, other scripts, emoji, things that look like placeholders. */
export const FILLERS: readonly string[] = [
  'please',
  'call me',
  'in',
  'or',
  'the',
  'account of',
  'the number is',
  'phone',
  '😀',
  '👩‍👩‍👧',
  '漢字',
  'été',
  'ตัวอย่าง',
  '\n',
  ', ',
  '. ',
  ': ',
  ' (',
  ') ',
  '"',
  '{"a":',
  '}',
  '12',
  '7',
  '99',
  'v1.2.3',
  '[EMAIL_ADDRESS_abcdefghijklmn]',
  '[PERSON_1]',
  '<PERSON_1>',
  '[',
  ']',
  '[AB',
  '-',
  '--',
  '=',
  '@',
  'a@',
  '.',
  '\\',
  '\u00a0',
  '\t',
  'AB',
  'May',
  'BEGIN',
];

/** Texts of samples and fillers, mostly with spaces between. */
export const mixedText: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...SAMPLES), fc.constantFrom(...FILLERS)),
      fc.constantFrom(' ', ' ', ' ', '', '\n', ', '),
    ),
    { maxLength: 9 },
  )
  .map((pieces) => pieces.map(([piece, joint]) => piece + joint).join(''));

/** Cuts a text at the places an array of steps gives. */
export function cut(text: string, steps: readonly number[]): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (let turn = 0; from < text.length; turn++) {
    const next = from + (steps[turn % steps.length] ?? 1);
    pieces.push(text.slice(from, next));
    from = next;
  }
  return pieces;
}
