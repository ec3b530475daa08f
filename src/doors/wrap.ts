import { GatewayError, invalidOptions } from '../core/errors.ts';
import { isWrapped, markWrapped } from '../core/wrapped.ts';
import { type ClientFacts, clientFacts } from './client-facts.ts';
import type { DoorHost } from './host.ts';
import { type FetchFunction, inboundOf } from './inbound.ts';
import { RAISED_TIMEOUT_MS } from './raised-timeout.ts';
import { loadServe } from './load-serve.ts';
import type { Seam } from './seam.ts';

/** The slice of a vendor SDK's client a wrap needs. */
interface Wrappable {
  withOptions(options: Record<string, unknown>): object;
}

/** One request inside Anthropic's own middleware: what `fetch` would be called with. */
type SdkRequest = RequestInit & { readonly url: string };
type SdkMiddleware = (request: SdkRequest, next: (request: SdkRequest) => Promise<Response>) => Promise<Response>;

/**
 * A client of the same class whose calls go through the gateway, made with the SDK's own seam. The given client stays
 * as it is; its key, URL, fetch and headers are kept.
 */
export function wrapClient<C extends object>(host: DoorHost, client: C): C {
  if (
    typeof client !== 'object' ||
    client === null ||
    typeof (client as Partial<Wrappable>).withOptions !== 'function'
  ) {
    throw invalidOptions('client', 'expected a client of the openai or @anthropic-ai/sdk package, like new OpenAI().');
  }
  if (isWrapped(client)) {
    throw invalidOptions('client', 'this client is wrapped already; wrap the original one, once.');
  }
  const facts = clientFacts(client);
  if (facts.signed) reportSigned(host, facts);
  const seam = seamOf(host, facts);
  const options: Record<string, unknown> =
    facts.middleware === undefined
      ? { fetch: doorFetch(host, seam, facts) }
      : { middleware: [...facts.middleware, doorMiddleware(host, seam)] };
  if (host.retries) Object.assign(options, { maxRetries: 0, timeout: RAISED_TIMEOUT_MS });
  for (const part of [options['fetch'], ...((options['middleware'] as unknown[] | undefined)?.slice(-1) ?? [])]) {
    if (typeof part === 'function') markWrapped(part);
  }
  const wrapped = (client as unknown as Wrappable).withOptions(options);
  markWrapped(wrapped);
  // `withOptions` gives the class it was called on: that is what this seam is for.
  return wrapped as C;
}

function seamOf(host: DoorHost, facts: ClientFacts): Seam {
  const { maxRetries, timeoutMs } = facts;
  return {
    protocols: facts.protocols,
    vendor: facts.vendor,
    throwsNetwork: true,
    signed: facts.signed,
    secrets: facts.secrets,
    ...(host.retries && maxRetries !== undefined && { attemptsMax: maxRetries + 1 }),
    ...(host.retries && timeoutMs !== undefined && { timeoutMs }),
  };
}

function doorFetch(host: DoorHost, seam: Seam, facts: ClientFacts): FetchFunction {
  return async function fetch(input, init) {
    const known = loadServe();
    const serve = known instanceof Promise ? await known : known;
    return serve(host, seam, inboundOf(input, init, facts.fetch));
  };
}

/** For backends that write another shape below the SDK (Bedrock, Vertex): its middleware sees Anthropic's own. */
function doorMiddleware(host: DoorHost, seam: Seam): SdkMiddleware {
  return async function postern(request, next) {
    const known = loadServe();
    const serve = known instanceof Promise ? await known : known;
    const { url, ...init } = request;
    const below: FetchFunction = (to, changed) => next({ ...changed, url: String(to) });
    return serve(host, seam, inboundOf(url, init, below));
  };
}

function reportSigned(host: DoorHost, facts: ClientFacts): void {
  const error = new GatewayError(
    'unsupported',
    `This ${facts.vendor} client signs its requests before the gateway sees them: they are observed, and an edit of one is refused.`,
  );
  host.emit('problem', { stage: 'wrap', code: error.code, error });
}
