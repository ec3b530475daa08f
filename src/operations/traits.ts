import type { Usage } from './shared.ts';

/** One place in a request or response that holds text a person or model wrote. */
export interface TextSlot {
  /** Path into the request or response, like `messages[2].content[0].text`. */
  readonly path: string;
  readonly kind:
    | 'system'
    | 'user'
    | 'assistant'
    | 'reasoning'
    | 'refusal'
    | 'tool-definition'
    | 'tool-arguments'
    | 'tool-result'
    | 'filename'
    | 'document'
    | 'embedding'
    | 'metadata';
  /** `json`: it is JSON text, so that what is put in must be escaped. String values inside of JSON are `text`. */
  readonly form: 'text' | 'json';
}

/** Folds a stream's events into its response. */
export interface Fold<Event, Response> {
  add(event: Event): void;
  /** The response so far: whole after `end`, else what was received, open blocks included. */
  response(): Response;
  /** Whether the stream ended with its terminal event. */
  readonly complete: boolean;
}

/** What middleware has to know about an operation to work on all of them alike. */
export interface OperationTraits<Request, Response, Event> {
  readonly name: string;
  /** The request with every text slot mapped; the same object if nothing changed. */
  mapRequestText(request: Request, map: (text: string, slot: TextSlot) => string): Request;
  mapResponseText(response: Response, map: (text: string, slot: TextSlot) => string): Response;
  usage(response: Response): Usage;
  /** Estimated usage of what was received, for a stream that never reported it. */
  estimate(request: Request, response: Response | undefined, model: string): Usage;
  /** A complete answer worth keeping: finished normally, nothing broken in it. */
  isComplete(response: Response): boolean;
  readonly stream?: {
    isContent(event: Event): boolean;
    isTerminal(event: Event): boolean;
    fold(): Fold<Event, Response>;
    /** The events a stream of this response would have had. */
    replay(response: Response): Iterable<Event>;
  };
}
