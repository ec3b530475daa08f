import { byteAt, classAt, CLASSES, DIGIT, HEX, LETTER } from '../characters.ts';
import type { AnchorDetector } from '../types.ts';

/** MAC addresses: six pairs joined by `:` or `-`, or Cisco's three groups of four joined by `.`. */
export const macAddress: AnchorDetector = {
  entity: 'MAC_ADDRESS',
  score: 0.9,
  anchors: ':-.',
  after: '0123456789ABCDEFabcdef',
  at(text, index, report, bytes) {
    const joint = bytes[index] as number;
    const width = joint === 46 ? 4 : 2;
    const start = index - width;
    const end = start + (joint === 46 ? 14 : 17);
    if (bytes[index + width + 1] !== joint || start < 0 || end > text.length) return;
    // All of them 0, all of them F: nobody's. Three groups of four digits may as well be a number.
    let [zeros, highest, letters] = [true, true, false];
    for (let at = start; at < end; at++) {
      const code = bytes[at] as number;
      if ((at - start) % (width + 1) === width) {
        if (code !== joint) return;
        continue;
      }
      const bits = CLASSES[code] as number;
      if ((bits & HEX) === 0) return;
      if (code !== 48) zeros = false;
      if ((code | 32) !== 102) highest = false;
      if ((bits & LETTER) !== 0) letters = true;
    }
    if (zeros || highest) return;
    if (touches(bytes, start - 1, start - 2, joint) || touches(bytes, end, end + 1, joint)) return;
    report(start, end, joint === 46 && !letters ? 0.4 : undefined);
  },
};

const touches = (bytes: Uint8Array, near: number, far: number, joint: number): boolean =>
  (classAt(bytes, near) & (DIGIT | LETTER)) !== 0 ||
  (byteAt(bytes, near) === joint && (classAt(bytes, far) & HEX) !== 0);
