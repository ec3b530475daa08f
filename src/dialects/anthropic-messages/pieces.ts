/** Text that is never cut inside a surrogate pair: half a pair waits for its other half. */
export class Pieces {
  text = '';
  #half = '';

  /** The text to pass on now, which may be empty. */
  add(piece: string): string {
    let text = this.#half === '' ? piece : this.#half + piece;
    this.#half = '';
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#half = text.slice(-1);
      text = text.slice(0, -1);
    }
    this.text += text;
    return text;
  }

  /** What still waited when the block ended. */
  rest(): string {
    const rest = this.#half;
    this.#half = '';
    this.text += rest;
    return rest;
  }
}
