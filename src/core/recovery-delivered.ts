import type { ChatEvent } from '../operations/chat-events.ts';

/** What the reader of a stream has had so far: enough to go on from there. */
export interface Delivered {
  add(event: ChatEvent): void;
  clear(): void;
  /** A whole tool call was handed over: it may be running already. */
  readonly calledTool: boolean;
  /** All text so far; `undefined` if there was anything that cannot be gone on from. */
  text(): string | undefined;
  /** The text block that is still open. */
  readonly open: { readonly index: number; readonly text: string } | undefined;
  /** The first index that is not used yet. */
  readonly nextIndex: number;
}

export function deliveredSoFar(): Delivered {
  let texts: string[] = [];
  let open: { index: number; text: string } | undefined;
  let nextIndex = 0;
  let other = false;
  let calledTool = false;
  return {
    add(event) {
      if ('index' in event) nextIndex = Math.max(nextIndex, event.index + 1);
      switch (event.type) {
        case 'text-start':
          open = { index: event.index, text: '' };
          break;
        case 'text-delta':
          if (open !== undefined) open.text += event.text;
          break;
        case 'text-end':
          texts.push(event.part.text);
          open = undefined;
          break;
        case 'tool-call-end':
          calledTool = true;
          break;
        case 'part':
        case 'refusal-start':
        case 'tool-call-start':
        case 'audio-start':
          other = true;
          break;
        default:
          break;
      }
    },
    clear() {
      texts = [];
      open = undefined;
      nextIndex = 0;
      other = false;
    },
    get calledTool() {
      return calledTool;
    },
    text: () => (other ? undefined : [...texts, ...(open === undefined ? [] : [open.text])].join('')),
    get open() {
      // A copy: what it was then.
      return open === undefined ? undefined : { ...open };
    },
    get nextIndex() {
      return nextIndex;
    },
  };
}
