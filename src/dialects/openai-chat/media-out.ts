import { stamped } from '../../core/replay.ts';
import { nativeRest, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { AudioPart, ImagePart, NativePart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import type { Slots } from './block-writer.ts';
import { sourceOfUrl } from './data-url.ts';
import { PROTOCOL } from './hints.ts';

type Emit = (event: ChatEvent) => void;
type Wire = Readonly<Record<string, unknown>>;
const KNOWN_AUDIO = new Set(['id', 'data', 'transcript']);

/** A generated image, as OpenRouter and Mistral send it: `{ image_url: { url } }`. */
export function imageOf(value: unknown): ImagePart | NativePart {
  const wire = recordOf(value);
  const url = stringOf(wire?.['image_url']) ?? stringOf(recordOf(wire?.['image_url'])?.['url']);
  if (url === undefined) return { type: 'native', protocol: PROTOCOL, value: value as Json };
  return { type: 'image', ...sourceOfUrl(url) };
}

/** The spoken answer of a choice. */
export interface AudioBlock {
  add(audio: Wire, emit: Emit): void;
  end(emit: Emit): void;
}

export function audioBlock(slots: Slots, id: string | undefined, emit: Emit): AudioBlock {
  const at = slots.at(slots.take());
  let data = '';
  let transcript = '';
  let native: AudioPart['native'];
  emit({ type: 'audio-start', ...(id !== undefined && { id }), ...at });
  return {
    add(audio, send) {
      const moreData = stringOf(audio['data']) ?? '';
      const moreText = stringOf(audio['transcript']) ?? '';
      data += moreData;
      transcript += moreText;
      native = nativeRest(audio, KNOWN_AUDIO, PROTOCOL) ?? native;
      if (moreData === '' && moreText === '') return;
      send({
        type: 'audio-delta',
        ...(moreData !== '' && { data: moreData }),
        ...(moreText !== '' && { transcript: moreText }),
        ...at,
      });
    },
    end(send) {
      const part: AudioPart = {
        type: 'audio',
        source: { kind: 'base64', data },
        ...(transcript !== '' && { transcript }),
        ...(id !== undefined && { id }),
        ...(native !== undefined && { native }),
      };
      send({ type: 'audio-end', part: stamped(part), ...at });
    },
  };
}
