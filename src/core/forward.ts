import type { Call } from './call.ts';
import { plainTarget } from './call.ts';
import { networkError, type Transport } from './transport.ts';
import type { WireCall, WireReply } from './wire.ts';

/** Sends a door's bytes as they are and gives the answer's bytes back: for what no dialect understands. */
export function forwarder(transport: Transport): (wire: WireCall, call: Call<'raw'>) => Promise<WireReply> {
  return async function forward(wire, call) {
    const target = call.target === undefined ? { provider: '?', model: '?' } : plainTarget(call.target);
    try {
      const response = await transport.send(
        {
          method: wire.method,
          path: wire.path,
          headers: wire.headers,
          stream: false,
          signal: call.signal,
          ...(wire.body !== undefined && { body: wire.body }),
        },
        call,
      );
      const { body } = response;
      return { protocol: wire.protocol, status: response.status, headers: response.headers, body: body ?? '' };
    } catch (error) {
      throw networkError(error, target, call.signal);
    }
  };
}
