/** A value of a JSON text: where it stands, and what is inside it. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** It is a text. */
  readonly quoted?: true;
  /** Of an object, in order. Of two members of one name the last counts, as in `JSON.parse`. */
  readonly members?: readonly Member[];
  /** Of an array. */
  readonly items?: readonly Span[];
}
export interface Member {
  readonly name: string;
  /** Where its name begins. */
  readonly start: number;
  readonly value: Span;
}

/** Deepest nesting that is looked into. */
const DEPTH_MAX = 128;
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /[^,\]}\s]+/y;

/** Where every value of a JSON text stands; `undefined` if it is no JSON or nested too deep. */
export function spansOf(text: string): Span | undefined {
  const scanner = new Scanner(text);
  try {
    return scanner.document();
  } catch {
    return undefined;
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Span {
    const span = this.#value(0);
    this.#space();
    if (this.#at !== this.#text.length) throw new SyntaxError('more than one value');
    return span;
  }

  #value(depth: number): Span {
    if (depth > DEPTH_MAX) throw new RangeError('nested too deep');
    this.#space();
    const start = this.#at;
    switch (this.#text[start]) {
      case '{':
        return this.#object(start, depth);
      case '[':
        return this.#array(start, depth);
      case '"':
        this.#string();
        return { start, end: this.#at, quoted: true };
      default:
        SCALAR.lastIndex = start;
        if (!SCALAR.test(this.#text)) throw new SyntaxError('a value is missing');
        this.#at = SCALAR.lastIndex;
    }
    return { start, end: this.#at };
  }

  #object(start: number, depth: number): Span {
    const members: Member[] = [];
    this.#at++;
    for (this.#space(); !this.#takes('}'); this.#space()) {
      if (members.length > 0) this.#expect(',');
      this.#space();
      const nameStart = this.#at;
      this.#string();
      const name = JSON.parse(this.#text.slice(nameStart, this.#at)) as string;
      this.#space();
      this.#expect(':');
      members.push({ name, start: nameStart, value: this.#value(depth + 1) });
    }
    return { start, end: this.#at, members };
  }

  #array(start: number, depth: number): Span {
    const items: Span[] = [];
    this.#at++;
    for (this.#space(); !this.#takes(']'); this.#space()) {
      if (items.length > 0) this.#expect(',');
      items.push(this.#value(depth + 1));
    }
    return { start, end: this.#at, items };
  }

  #string(): void {
    this.#expect('"');
    for (;;) {
      const quote = this.#text.indexOf('"', this.#at);
      if (quote === -1) throw new SyntaxError('a text does not end');
      let slashes = 0;
      while (this.#text[quote - 1 - slashes] === '\\') slashes++;
      this.#at = quote + 1;
      if (slashes % 2 === 0) return;
    }
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#takes(character)) throw new SyntaxError(`${character} is missing`);
  }
}
