import { canonicalJson } from './canonical-json.ts';

/**
 * Fields of a request that never change its answer, so that they are in no key. Everything else is: fields nobody has
 * thought of yet included.
 *
 * - `cache`, of a request and of its messages, parts and tools: hints for the provider's own prompt cache.
 * - `user`: the end user's name for the provider's abuse detection. Whom an answer may reach is the scope's business.
 * - `metadata`: labels the provider keeps beside the call.
 */
export const IGNORED_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  chat: new Set(['cache', 'user', 'metadata']),
  embed: new Set(['user']),
};

const NOTHING: ReadonlySet<string> = new Set();
const HINT: ReadonlySet<string> = new Set(['cache']);

/** One text for one request in normal form, whatever the order of its keys, without the ignored fields. */
export function canonicalRequest(operation: string, request: object, without?: string): string {
  const ignored = IGNORED_FIELDS[operation] ?? NOTHING;
  if (operation !== 'chat') return objectText(request, ignored, canonicalJson, without);
  return objectText(request, ignored, chatFieldText, without);
}

function chatFieldText(value: unknown, name: string): string {
  if (!Array.isArray(value)) return canonicalJson(value);
  if (name === 'messages') return listText(value, messageText);
  if (name === 'system' || name === 'tools') return listText(value, partText);
  return canonicalJson(value);
}

function messageText(message: unknown): string {
  if (!isObject(message)) return canonicalJson(message);
  const { role, content } = message as { role?: unknown; content?: unknown };
  if (typeof role === 'string' && Array.isArray(content) && hasTwoFields(message)) {
    return `{"content":${listText(content, partText)},"role":${JSON.stringify(role)}}`;
  }
  return objectText(message, HINT, contentText);
}

function contentText(value: unknown, name: string): string {
  return name === 'content' && Array.isArray(value) ? listText(value, partText) : canonicalJson(value);
}

function partText(part: unknown): string {
  if (!isObject(part)) return canonicalJson(part);
  const { type, text } = part as { type?: unknown; text?: unknown };
  // Most messages and parts are this and nothing else; by hand the key of a long conversation costs half.
  if (type === 'text' && typeof text === 'string' && hasTwoFields(part)) {
    return `{"text":${JSON.stringify(text)},"type":"text"}`;
  }
  return objectText(part, HINT, contentText);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasTwoFields(part: object): boolean {
  let count = 0;
  for (const _name in part) if (++count > 2) return false;
  return count === 2;
}

function listText<T>(list: readonly T[], write: (item: T) => string): string {
  if (list.length === 1) return `[${write(list[0] as T)}]`;
  let text = '[';
  for (let index = 0; index < list.length; index++) text += (index === 0 ? '' : ',') + write(list[index] as T);
  return `${text}]`;
}

function objectText(
  object: object,
  ignored: ReadonlySet<string>,
  write: (value: unknown, name: string) => string,
  without?: string,
): string {
  let text = '';
  for (const name of Object.keys(object).sort()) {
    const value: unknown = Reflect.get(object, name);
    if (value === undefined || name === without || ignored.has(name)) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${write(value, name)}`;
  }
  return `{${text}}`;
}
