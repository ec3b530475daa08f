import type { ToolResultItem, ToolResultPart } from '../../operations/chat-parts.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { hintsOf } from './hints.ts';
import type { Encoding } from './request.ts';
import { encodePart } from './request-parts.ts';

/** A tool result is text here: other values become JSON, media goes into a user message that follows. */
export function encodeResult(
  encoding: Encoding,
  part: ToolResultPart,
  path: string,
): { content: Json; media: JsonObject[] } {
  const items: readonly ToolResultItem[] =
    typeof part.content === 'string' ? [{ type: 'text', text: part.content }] : part.content;
  const asArray = hintsOf(part.native).array === true && encoding.quirks.arrayContent !== false;
  const media: JsonObject[] = [];
  const texts: JsonObject[] = [];
  for (const [position, item] of items.entries()) {
    const where = `${path}.content[${position}]`;
    if (item.type === 'text') texts.push(encodePart(encoding, item, where));
    // Its own protocol's caller wrote it so: the server it was written for takes it.
    else if (asArray && encoding.facts !== undefined && item.type !== 'json')
      texts.push(encodePart(encoding, item, where));
    else if (item.type === 'json') texts.push({ type: 'text', text: JSON.stringify(item.value) });
    else {
      encoding.losses.warn(
        'degraded',
        where,
        `${item.type} in a tool result`,
        'Tool results are text here; the media follows as a user message.',
      );
      texts.push({
        type: 'text',
        text: `[${item.type} ${media.length / 2 + 1} of this result: see the next user message]`,
      });
      media.push(
        { type: 'text', text: `[${item.type} from the result of tool call ${part.callId}]` },
        encodePart(encoding, item, where),
      );
    }
  }
  if (texts.length === 0 && part.structured !== undefined)
    texts.push({ type: 'text', text: JSON.stringify(part.structured) });
  if (part.isError === true) {
    const first = texts[0];
    texts[0] = { ...first, type: 'text', text: `Error: ${first === undefined ? '' : String(first['text'])}` };
  }
  const text = texts.map((item) => String(item['text'])).join(typeof part.content === 'string' ? '' : '\n');
  return { content: asArray ? texts : text, media };
}
