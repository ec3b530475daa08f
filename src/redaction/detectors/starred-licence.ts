import { byteAt, classAt, DIGIT, LETTER } from '../characters.ts';
import type { AnchorDetector } from '../types.ts';

const UNITS = 12;

/** Washington's driver licences until 2018: twelve letters, digits and `*`, which fills up short names, a letter first. */
export const usStarredLicence: AnchorDetector = {
  entity: 'US_DRIVER_LICENSE',
  score: 0.2,
  anchors: '*',
  context: ['driver', 'license', 'licence', 'dl', 'driving', 'lic', 'dmv', 'permit', 'cdl'],
  contextScore: 0.75,
  at(_text, index, report, bytes) {
    let start = index;
    while (index - start < UNITS && isWord(bytes, start - 1)) start--;
    // Another `*` before it has been here, or it is a mark of emphasis.
    if (byteAt(bytes, start - 1) === 42 || start === index || (classAt(bytes, start) & LETTER) === 0) return;
    let digits = 0;
    let end = start;
    for (; end - start <= UNITS && (isWord(bytes, end) || bytes[end] === 42); end++)
      if ((classAt(bytes, end) & DIGIT) !== 0) digits++;
    if (end - start === UNITS && digits >= 2 && byteAt(bytes, start - 1) !== 95 && bytes[end] !== 95)
      report(start, end);
  },
};

const isWord = (bytes: Uint8Array, index: number): boolean => (classAt(bytes, index) & (LETTER | DIGIT)) !== 0;
