import type { Call } from './call.ts';
import { GatewayError } from './errors.ts';
import type { ChatRequest } from '../operations/chat.ts';
import type { RawRequest } from '../operations/index.ts';

/** What no middleware can look into: bodies of calls no dialect understands, and images, audio, video and binary files. */
export type Unreadable = 'raw' | 'media';

/** Methods that send no body. */
const WITHOUT_BODY = /^(?:GET|HEAD|DELETE|OPTIONS)$/i;

/** Refuses, in the name of a middleware, a call with content that it cannot look into and may not pass unseen. */
export function refuseUnreadable(call: Call, refused: ReadonlySet<Unreadable>, by: string): void {
  const refusal = (what: string, remedy: string): GatewayError =>
    new GatewayError('guardrail-blocked', `${what}, so it is not sent. ${remedy}`.trim(), { stage: by });
  if (refused.has('raw') && call.operation === 'raw') {
    const { method = 'GET', path } = call.request as RawRequest;
    if (!WITHOUT_BODY.test(method))
      throw refusal(`${method} ${path} has a body that ${by} cannot read`, 'Let such calls pass with refuse: [].');
  }
  if (refused.has('media') && call.operation === 'chat') {
    const part = mediaIn(call.request as ChatRequest);
    if (part !== undefined) throw refusal(`A message holds a part that ${by} cannot read (${part})`, '');
  }
}

/** The type of the first part that is not text. */
function mediaIn(request: ChatRequest): string | undefined {
  for (const { content } of request.messages) {
    for (const part of content) {
      if (part.type === 'tool-result') {
        const inner = typeof part.content === 'string' ? undefined : part.content.find(isMedia);
        if (inner !== undefined) return inner.type;
      } else if (isMedia(part)) return part.type;
    }
  }
  return undefined;
}

function isMedia(part: { readonly type: string; readonly source?: { readonly kind: string } }): boolean {
  return part.source !== undefined && part.source.kind !== 'text';
}
