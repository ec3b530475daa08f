import type { OperationName, Operations } from '../operations/index.ts';
import { type Candidate, plainTarget, type Reply, type StreamReply } from './call.ts';
import { GatewayError } from './errors.ts';

/** Waits for the first content. An answer that ends well and says nothing is none; another end is told. */
export async function firstContent<K extends OperationName>(
  reply: StreamReply<K>,
  isContent: (event: Operations[K]['event']) => boolean,
  target: Candidate,
): Promise<string | undefined> {
  let finish: string | undefined;
  const found = await reply.events.commit((event) => {
    const seen = event as { readonly type?: string; readonly finish?: { readonly reason?: string } };
    if (seen.type === 'finish') finish = seen.finish?.reason;
    return isContent(event);
  });
  if (found) return undefined;
  if (finish !== 'stop') return finish;
  const wire = await wholeWire(reply);
  reply.events.cancel();
  throw new GatewayError('bad-response', `${target.provider}/${target.model} ended its answer without any content.`, {
    target: plainTarget(target),
    status: 200,
    source: 'provider',
    ...(wire !== undefined && { wire }),
  });
}

/** The bytes of a stream that has ended already: odd, but a door's caller may make sense of them. */
async function wholeWire({ wire }: Reply): Promise<GatewayError['wire']> {
  if (wire === undefined || typeof wire.body === 'string') return undefined;
  const { protocol, status, headers } = wire;
  const decoder = new TextDecoder();
  let body = '';
  for await (const bytes of wire.body) body += decoder.decode(bytes, { stream: true });
  return { protocol, status, headers, body: body + decoder.decode() };
}
