import { GatewayError } from './errors.ts';
import type { Frame } from './dialect.ts';
import { LIMITS } from './limits.ts';

/**
 * Splits a body of server-sent events into frames, at any chunking. Lines end at CR, LF or CRLF and nowhere else;
 * a byte order mark, comments, `id:` and `retry:` lines are passed over; data lines of one event are joined by LF.
 */
export class SseParser {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #data: string | undefined;
  #event: string | undefined;
  #afterReturn = false;
  #first = true;

  /** Frames completed by this chunk are handed to `onFrame`, in order. */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    this.#text(this.#decoder.decode(chunk, { stream: true }), onFrame);
  }

  /** The body has ended. An event without its closing blank line is still delivered: servers forget it. */
  end(onFrame: (frame: Frame) => void): void {
    this.#text(this.#decoder.decode(), onFrame);
    if (this.#rest !== '') this.#line(this.#rest, onFrame);
    this.#rest = '';
    this.#dispatch(onFrame);
  }

  #text(chunk: string, onFrame: (frame: Frame) => void): void {
    if (chunk === '') return;
    let text = this.#rest === '' ? chunk : this.#rest + chunk;
    if (this.#first) {
      this.#first = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    let from = 0;
    // An LF right after a chunk that ended in CR belongs to the same line end.
    if (this.#afterReturn && text.charCodeAt(0) === 10) from = 1;
    this.#afterReturn = false;
    const hasReturn = text.includes('\r', from);
    for (;;) {
      let at = text.indexOf('\n', from);
      let after = at + 1;
      if (hasReturn) {
        const cr = text.indexOf('\r', from);
        if (cr !== -1 && (at === -1 || cr < at)) {
          at = cr;
          after = cr + 1;
          if (after === text.length) this.#afterReturn = true;
          else if (text.charCodeAt(after) === 10) after++;
        }
      }
      if (at === -1) break;
      this.#line(text.slice(from, at), onFrame);
      from = after;
    }
    this.#rest = from === 0 ? text : text.slice(from);
    if (this.#rest.length > LIMITS.sseLineBytesMax) throw tooLarge('sseLineBytesMax', LIMITS.sseLineBytesMax);
  }

  #line(line: string, onFrame: (frame: Frame) => void): void {
    if (line === '') {
      this.#dispatch(onFrame);
      return;
    }
    if (line.length > LIMITS.sseLineBytesMax) throw tooLarge('sseLineBytesMax', LIMITS.sseLineBytesMax);
    if (line.startsWith('data:')) {
      const value = line.charCodeAt(5) === 32 ? line.slice(6) : line.slice(5);
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
      if (this.#data.length > LIMITS.sseEventBytesMax) throw tooLarge('sseEventBytesMax', LIMITS.sseEventBytesMax);
    } else if (line.startsWith('event:')) {
      this.#event = line.charCodeAt(6) === 32 ? line.slice(7) : line.slice(6);
    } else if (line === 'data') {
      this.#data = this.#data === undefined ? '' : `${this.#data}\n`;
    }
  }

  #dispatch(onFrame: (frame: Frame) => void): void {
    const data = this.#data;
    const event = this.#event;
    this.#data = undefined;
    this.#event = undefined;
    if (data === undefined) return;
    onFrame(event === undefined ? { data } : { event, data });
  }
}

function tooLarge(name: 'sseLineBytesMax' | 'sseEventBytesMax', maximum: number): GatewayError {
  return new GatewayError('limit-exceeded', `The stream holds more than ${maximum} bytes in one place (${name}).`, {
    source: 'provider',
    fault: 'target',
    fallbackable: true,
    limit: { name, maximum },
  });
}
