import {
  type Check,
  isBoolean,
  isCacheHint,
  isList,
  isNative,
  isNumber,
  isObject,
  isString,
  isWord,
} from './field-checks.ts';

/** Part types each role may hold. */
export const PARTS: Readonly<Record<string, readonly string[]>> = {
  system: ['text', 'native'],
  developer: ['text', 'native'],
  user: ['text', 'image', 'audio', 'video', 'file', 'approval-response', 'native'],
  assistant: [
    'text',
    'reasoning',
    'refusal',
    'tool-call',
    'tool-result',
    'image',
    'audio',
    'video',
    'file',
    'approval-request',
    'native',
  ],
  tool: ['tool-result', 'native'],
};
/** Part types a tool may answer with. */
export const RESULT_ITEMS: readonly string[] = ['text', 'image', 'audio', 'video', 'file', 'json'];

/** Fields a part of each type cannot be without. Media need a source, a result its content: those have checks of their own. */
export const NEEDED: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  reasoning: ['text'],
  refusal: ['text'],
  'tool-call': ['id', 'name'],
  'tool-result': ['callId'],
  'approval-response': ['requestId', 'approved'],
  'approval-request': ['id', 'name'],
  native: ['protocol'],
};
export const MEDIA: ReadonlySet<string> = new Set(['image', 'audio', 'video', 'file']);

/** What a known field of a message holds; the role and the content have checks of their own. */
export const MESSAGE_FIELDS: ReadonlyMap<string, Check> = new Map<string, Check>(
  Object.entries({ name: isString, cache: isCacheHint, native: isNative, origin: isObject, prefix: isBoolean }),
);

/** What a known field of a part holds, whatever the part. Fields that nobody knows are kept: another version may. */
export const PART_FIELDS: ReadonlyMap<string, Check> = new Map<string, Check>(
  Object.entries({
    ...{ text: isString, id: isString, callId: isString, requestId: isString, name: isString, protocol: isString },
    ...{ mediaType: isString, filename: isString, title: isString, context: isString, transcript: isString },
    ...{ category: isString, server: isString, callerId: isString, reason: isString, argsText: isString },
    ...{ stamp: isString, fallbackText: isString },
    ...{ cite: isBoolean, approved: isBoolean, isError: isBoolean },
    ...{ startMs: isNumber, endMs: isNumber, fps: isNumber },
    ...{ cache: isCacheHint, native: isNative, citations: isList, sealed: isObject, invalid: isObject },
    detail: isWord('auto', 'low', 'high', 'original'),
    phase: isWord('commentary', 'final'),
    form: isWord('full', 'summary', 'redacted'),
    executor: isWord('client', 'provider'),
  }),
);

/** The one field of each kind of source. */
export const SOURCES: Readonly<Record<string, string>> = { base64: 'data', url: 'url', file: 'id', text: 'text' };
