/** One thing a server does on the wire. */
export type WireStep =
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  | { readonly do: 'wait'; readonly ms: number }
  /** Sends the same text every `everyMs` for ever. */
  | { readonly do: 'ping'; readonly everyMs: number; readonly text: string }
  | { readonly do: 'hang' }
  | { readonly do: 'reset' }
  | { readonly do: 'end' }
  | { readonly do: 'network'; readonly code: string };

/** One HTTP answer, step by step. Played in process as a `fetch`, or by a server over a socket. */
export interface WirePlan {
  /** Before the headers. */
  readonly before: readonly WireStep[];
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly WireStep[];
  /** Each piece is to arrive by itself: a fault must not overtake what was sent before it. */
  readonly spaced?: boolean;
}

const encoder = new TextEncoder();

export function send(text: string): WireStep {
  return { do: 'send', bytes: encoder.encode(text) };
}

export function wait(ms: number): WireStep {
  return { do: 'wait', ms };
}

/** Steps after which nothing of an answer can come. */
export function isLast(step: WireStep): boolean {
  return step.do === 'ping' || step.do === 'hang' || step.do === 'reset' || step.do === 'end' || step.do === 'network';
}
