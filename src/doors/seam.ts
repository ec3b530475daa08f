import type { Protocol } from '../operations/shared.ts';

/** One HTTP request as an SDK hands it to its `fetch`. */
export interface Inbound {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: BodyInit | null | undefined;
  /** The application's own abort. */
  readonly signal: AbortSignal;
  /** The way it would have gone without us: the client's own fetch, with everything it wanted to tell it. */
  send(changes: Outbound): Promise<Response>;
}

/** What a door changes of a request before it goes on; the rest stays as it came. */
export interface Outbound {
  readonly signal: AbortSignal;
  readonly headers: Headers;
  readonly body?: BodyInit | undefined;
  /** Where to, if not where it was going. */
  readonly url?: string;
}

/** What is known about the client, or the `fetch`, that requests come in through. */
export interface Seam {
  /** What it may speak; a path of another protocol is not understood. */
  readonly protocols: readonly Protocol[];
  /** Its vendor's name, as in `provider/model`. For `gateway.fetch` it follows from the protocol. */
  readonly vendor?: string;
  /** Attempts the application allows a call: what its SDK would have made. */
  readonly attemptsMax?: number;
  /** The client's own timeout for one attempt, in milliseconds, where the gateway keeps it in the SDK's place. */
  readonly timeoutMs?: number;
  /** Network failures are thrown, so that the SDK makes its own class of them; else they are answered with a status. */
  readonly throwsNetwork: boolean;
  /** It signs requests before they come here: they can be watched, not changed. */
  readonly signed: boolean;
  /** Everything that must not appear in a message. */
  secrets(): readonly string[];
}
