/**
 * A Response over a text that is there already. An SDK asks for `json()` or `text()`: those answer at once, without the
 * stream, the encoding and the decoding a Response makes of its body. Whatever else is asked for is made then.
 */
export class TextResponse extends Response {
  readonly #text: string;
  #used = false;
  #whole: Response | undefined;

  constructor(text: string, init: ResponseInit) {
    super(null, init);
    this.#text = text;
  }

  override get body(): Response['body'] {
    return this.#made().body;
  }
  override get bodyUsed(): boolean {
    return this.#used || (this.#whole?.bodyUsed ?? false);
  }
  override async text(): Promise<string> {
    if (this.#whole !== undefined) return this.#whole.text();
    return this.#take();
  }
  override async json(): Promise<unknown> {
    if (this.#whole !== undefined) return this.#whole.json();
    // What `json()` of any Response does: a byte order mark is no part of it.
    const text = this.#take();
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  }
  override async arrayBuffer(): ReturnType<Response['arrayBuffer']> {
    return this.#made().arrayBuffer();
  }
  override async blob(): ReturnType<Response['blob']> {
    return this.#made().blob();
  }
  override async bytes(): ReturnType<Response['bytes']> {
    return this.#made().bytes();
  }
  override async formData(): ReturnType<Response['formData']> {
    return this.#made().formData();
  }
  override clone(): Response {
    return this.#made().clone();
  }

  #take(): string {
    if (this.#used) throw new TypeError('Body is unusable: Body has already been read');
    this.#used = true;
    return this.#text;
  }

  #made(): Response {
    if (this.#whole !== undefined) return this.#whole;
    const { status, statusText, headers } = this;
    this.#whole = new Response(this.#text, { status, statusText, headers });
    if (this.#used) void this.#whole.text();
    return this.#whole;
  }
}
