/**
 * Counts what the scanner looks at, so that a test can hold it to a ratio that does not depend on the machine: bytes and
 * units read one by one, and what an expression reads. Cutting a piece out counts as one look: V8 makes a view of it.
 */
let looks = 0;

/** A text's bytes, each look at one counted. */
export function counted<Bytes extends Uint8Array | Uint16Array>(bytes: Bytes): Bytes {
  return new Proxy(bytes, {
    get(target, key) {
      looks++;
      return Reflect.get(target, key) as unknown;
    },
  });
}

/** How many looks `read` takes. */
export function looksOf(read: () => void): number {
  const { charCodeAt, slice, startsWith, charAt, indexOf, lastIndexOf, toLowerCase } = String.prototype;
  const expressions = RegExp.prototype;
  const { exec } = expressions;
  const strings = String.prototype;
  strings.charCodeAt = function (index) {
    looks++;
    return charCodeAt.call(this, index);
  };
  strings.charAt = function (index) {
    looks++;
    return charAt.call(this, index);
  };
  strings.startsWith = function (search, position) {
    looks++;
    return startsWith.call(this, search, position);
  };
  strings.slice = function (start, end) {
    looks++;
    return slice.call(this, start, end);
  };
  strings.indexOf = function (search, position = 0) {
    const found = indexOf.call(this, search, position);
    looks += Math.max(0, (found < 0 ? this.length : found) - position) + 1;
    return found;
  };
  strings.lastIndexOf = function (search, position = Number.POSITIVE_INFINITY) {
    const found = lastIndexOf.call(this, search, position);
    looks += Math.min(position, this.length) - found;
    return found;
  };
  strings.toLowerCase = function () {
    looks += this.length;
    return toLowerCase.call(this);
  };
  // `test`, `search` and `replace` go through it. Every expression is proved linear, so one that fails has read to the end
  // once; a sticky one has failed where it began.
  expressions.exec = function (text) {
    const from = this.global || this.sticky ? this.lastIndex : 0;
    const match = exec.call(this, text);
    looks += match === null ? (this.sticky ? 1 : text.length - from) : match.index + match[0].length - from;
    return match;
  };
  looks = 0;
  try {
    read();
  } finally {
    Object.assign(strings, { charCodeAt, charAt, startsWith, slice, indexOf, lastIndexOf, toLowerCase });
    expressions.exec = exec;
  }
  return looks;
}
