import type { Warning } from '../operations/shared.ts';
import type { Call } from './call.ts';
import type { ChatCodec } from './dialect.ts';
import { type Endpoint, environmentOf, outgoing, targetOf, unsupported } from './exchange-request.ts';
import type { Provider } from './provider.ts';

/** A provider's `translate`: its dialect's own encoding, whose result is looked at and thrown away. */
export function translator(load: (call: Call) => Promise<Endpoint>): NonNullable<Provider['translate']> {
  // By what the endpoint depends on beside the operation: the protocol a door's call came in.
  const loaded = new Map<string, Endpoint>();
  return (call) => {
    const key = `${call.operation} ${call.wire?.protocol ?? ''}`;
    const endpoint = loaded.get(key);
    if (endpoint !== undefined) return warningsOf(endpoint, call);
    return load(call).then((found) => {
      loaded.set(key, found);
      return warningsOf(found, call);
    });
  };
}

function warningsOf(endpoint: Endpoint, call: Call): readonly Warning[] {
  const target = targetOf(call);
  const { chat, embed, protocol } = endpoint.dialect;
  const codec = call.operation === 'embed' ? embed : chat;
  if (codec === undefined) throw unsupported(protocol, call.operation, target);
  // The codec is that of the call's operation.
  return outgoing(endpoint, call, environmentOf(call, target, endpoint), codec as ChatCodec).encoded.warnings;
}
