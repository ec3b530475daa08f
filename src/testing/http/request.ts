/** A request as a mock over HTTP sees it. */
export interface MockRequest {
  readonly method: string;
  /** Path with its query, as it came. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; the text itself where it is no JSON. */
  readonly body: unknown;
  /** The other side stopped before the answer was whole. */
  readonly closedEarly: boolean;
}

/** One that is still being answered. */
export type OpenRequest = { -readonly [K in keyof MockRequest]: MockRequest[K] };

export function bodyOf(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}
