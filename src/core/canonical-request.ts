import { canonicalJson, sorted } from './canonical-json.ts';

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
/** What stands for a message of this role and nothing but content. No JSON begins with a capital. */
const ROLES: Readonly<Record<string, string>> = { system: 'S', developer: 'D', user: 'U', assistant: 'A', tool: 'T' };

/**
 * One text for one request in normal form, whatever the order of its keys, without the ignored fields. Made to be
 * hashed: two requests have the same text only if they are the same.
 *
 * Text stands in it as it is, with its length in front: nothing has to be escaped, which for a long conversation is
 * most of the work. What a value is can be told from its first character: `=` text, `[` a list, `{` an object of
 * known fields, a capital a message; all else is canonical JSON, which only open objects need.
 */
export function canonicalRequest(operation: string, request: object, without?: string): string {
  const ignored = IGNORED_FIELDS[operation] ?? NOTHING;
  return objectText(request, ignored, operation === 'chat' ? chatFieldText : plainText, without);
}

function chatFieldText(value: unknown, name: string): string {
  if (!Array.isArray(value)) return plainText(value);
  if (name === 'messages') return listText(value, messageText);
  if (name === 'system' || name === 'tools') return listText(value, partText);
  return canonicalJson(value);
}

function messageText(message: unknown): string {
  if (!isObject(message)) return canonicalJson(message);
  const { role, content } = message as { role?: unknown; content?: unknown };
  const letter = typeof role === 'string' && Array.isArray(content) ? ROLES[role] : undefined;
  if (letter !== undefined && hasOnly(message, 'role', 'content')) {
    return letter + listText(content as unknown[], partText);
  }
  return objectText(message, HINT, contentText);
}

function contentText(value: unknown, name: string): string {
  return name === 'content' && Array.isArray(value) ? listText(value, partText) : plainText(value);
}

function partText(part: unknown): string {
  if (!isObject(part)) return canonicalJson(part);
  const { type, text } = part as { type?: unknown; text?: unknown };
  // Most parts are this and nothing else.
  if (type === 'text' && typeof text === 'string' && hasOnly(part, 'type', 'text')) return `=${text.length}:${text}`;
  return objectText(part, HINT, contentText);
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? `=${value.length}:${value}` : canonicalJson(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it has no other fields, as far as a key goes. */
function hasOnly(object: object, one: string, other: string): boolean {
  for (const name in object) {
    if (name === one || name === other || HINT.has(name)) continue;
    if ((object as Readonly<Record<string, unknown>>)[name] !== undefined) return false;
  }
  return true;
}

function listText(list: readonly unknown[], write: (item: unknown) => string): string {
  let text = '[';
  for (let index = 0; index < list.length; index++) text += (index === 0 ? '' : ',') + write(list[index]);
  return `${text}]`;
}

function objectText(
  object: object,
  ignored: ReadonlySet<string>,
  write: (value: unknown, name: string) => string,
  without?: string,
): string {
  let text = '{';
  for (const name of sorted(Object.keys(object))) {
    const value = (object as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || name === without || ignored.has(name)) continue;
    text += `${name.length}:${name}${write(value, name)},`;
  }
  return `${text}}`;
}
