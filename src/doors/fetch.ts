import { type FetchFunction, inboundOf } from './inbound.ts';
import type { DoorHost } from './host.ts';
import { loadServe } from './load-serve.ts';
import type { Seam } from './seam.ts';

/** Any client at all: what it speaks follows from the path it asks for. */
const ANY: Seam = {
  protocols: ['openai-chat', 'openai-responses', 'anthropic-messages'],
  throwsNetwork: false,
  signed: false,
  secrets: () => [],
};

/**
 * The gateway as a `fetch`: for anything that takes one. It never throws but for an abort, because an SDK would call
 * again on its own; failures are answers in the protocol's own words.
 */
export function gatewayFetch(host: DoorHost): FetchFunction {
  return async function fetch(input, init) {
    const below: FetchFunction = (url, options) => globalThis.fetch(url, options);
    const known = loadServe();
    const serve = known instanceof Promise ? await known : known;
    return serve(host, ANY, inboundOf(input, init, below));
  };
}
