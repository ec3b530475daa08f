import { nativeRest, recordOf, stringOf } from '../../core/wire-json.ts';
import type { FilePart, ImagePart, InputPart } from '../../operations/chat-parts.ts';
import type { CacheHint, CacheTtl, Json, JsonObject, Native } from '../../operations/shared.ts';
import { sourceOfUrl } from './data-url.ts';
import { PROTOCOL } from './hints.ts';
import type { OpenAiChatFacts } from './quirks.ts';

type Wire = Readonly<Record<string, unknown>>;
type Facts = { -readonly [K in keyof OpenAiChatFacts]: OpenAiChatFacts[K] };
/** What a part holds beside its own field: cache hint and unknown fields. */
type Beside = { readonly cache?: CacheHint; readonly native?: Native };
const AUDIO_TYPES: Readonly<Record<string, string>> = { wav: 'audio/wav', mp3: 'audio/mpeg' };

/** One content part. What cannot be read comes back whole as a native part, so nothing is lost to its own protocol. */
export function decodePart(value: unknown, facts: Facts): InputPart {
  const whole: InputPart = { type: 'native', protocol: PROTOCOL, value: value as Json };
  const wire = recordOf(value);
  if (wire === undefined) return typeof value === 'string' ? { type: 'text', text: value } : whole;
  switch (wire['type']) {
    case 'text': {
      const text = stringOf(wire['text']);
      return text === undefined ? whole : { type: 'text', text, ...beside(wire, 'text', undefined, facts) };
    }
    case 'image_url':
      return decodeImage(wire, facts) ?? whole;
    case 'input_audio': {
      const audio = recordOf(wire['input_audio']);
      const data = stringOf(audio?.['data']);
      const mediaType = AUDIO_TYPES[stringOf(audio?.['format']) ?? ''];
      if (audio === undefined || data === undefined || mediaType === undefined) return whole;
      const rest = nativeRest(audio, new Set(['data', 'format']), PROTOCOL);
      return {
        type: 'audio',
        source: { kind: 'base64', data },
        mediaType,
        ...beside(wire, 'input_audio', rest, facts),
      };
    }
    case 'video_url': {
      const video = recordOf(wire['video_url']);
      const url = stringOf(video?.['url']);
      if (video === undefined || url === undefined) return whole;
      return {
        type: 'video',
        ...sourceOfUrl(url),
        ...beside(wire, 'video_url', nativeRest(video, new Set(['url']), PROTOCOL), facts),
      };
    }
    case 'file':
      return decodeFile(wire, facts) ?? whole;
    default:
      return whole;
  }
}

function decodeImage(wire: Wire, facts: Facts): ImagePart | undefined {
  const bare = stringOf(wire['image_url']);
  // The short form of Mistral and others; written back as it came.
  if (bare !== undefined) {
    const { native, ...rest } = beside(wire, 'image_url', undefined, facts);
    return {
      type: 'image',
      ...sourceOfUrl(bare),
      ...rest,
      native: { [PROTOCOL]: { ...native?.[PROTOCOL], image_url: bare } },
    };
  }
  const image = recordOf(wire['image_url']);
  const url = stringOf(image?.['url']);
  if (image === undefined || url === undefined) return undefined;
  const { detail } = image;
  const known = detail === 'auto' || detail === 'low' || detail === 'high' || detail === 'original';
  const rest = nativeRest(image, known ? new Set(['url', 'detail']) : new Set(['url']), PROTOCOL);
  return { type: 'image', ...sourceOfUrl(url), ...(known && { detail }), ...beside(wire, 'image_url', rest, facts) };
}

function decodeFile(wire: Wire, facts: Facts): FilePart | undefined {
  const file = recordOf(wire['file']);
  const data = stringOf(file?.['file_data']);
  const id = stringOf(file?.['file_id']);
  if (file === undefined || (data === undefined) === (id === undefined)) return undefined;
  const filename = stringOf(file['filename']);
  const from = data === undefined ? undefined : sourceOfUrl(data);
  // Bare base64 without its `data:` head would be written back with one.
  if (from?.source.kind === 'url' && !/^https?:/.test(from.source.url)) return undefined;
  if (from?.source.kind === 'base64' && from.mediaType === undefined) return undefined;
  const rest = nativeRest(
    file,
    new Set(['file_data', 'file_id', ...(filename === undefined ? [] : ['filename'])]),
    PROTOCOL,
  );
  return {
    type: 'file',
    ...(from ?? { source: { kind: 'file' as const, id: id as string } }),
    ...(filename !== undefined && { filename }),
    ...beside(wire, 'file', rest, facts),
  };
}

/** Cache hint and what is unknown, both of the part and of the object inside it. */
function beside(wire: Wire, field: string, inner: Native | undefined, facts: Facts): Beside {
  const known = new Set(['type', field]);
  const cache = cacheOf(wire, known, facts);
  const outer = nativeRest(wire, known, PROTOCOL);
  const fields: JsonObject = {
    ...outer?.[PROTOCOL],
    ...(inner !== undefined && { [field]: inner[PROTOCOL] as JsonObject }),
  };
  return {
    ...(cache !== undefined && { cache }),
    ...(Object.keys(fields).length > 0 && { native: { [PROTOCOL]: fields } }),
  };
}

/** A breakpoint in either of the two words for it. One with other fields stays native. */
function cacheOf(wire: Wire, known: Set<string>, facts: Facts): CacheHint | undefined {
  for (const field of ['prompt_cache_breakpoint', 'cache_control'] as const) {
    const hint = recordOf(wire[field]);
    if (hint === undefined || (facts.cacheField !== undefined && facts.cacheField !== field)) continue;
    const kind = field === 'cache_control' ? hint['type'] === 'ephemeral' : hint['mode'] === 'explicit';
    const { ttl } = hint;
    const plain = Object.keys(hint).length === (ttl === undefined ? 1 : 2);
    const knownTtl = ttl === undefined || ['5m', '30m', '1h', '12h', '24h'].includes(ttl as string);
    if (!kind || !plain || !knownTtl) continue;
    known.add(field);
    facts.cacheField = field;
    return ttl === undefined ? true : { ttl: ttl as CacheTtl };
  }
  return undefined;
}
