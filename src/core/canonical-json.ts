import { invalidRequest } from './errors.ts';
import { LIMITS } from './limits.ts';

/**
 * One text for one value, whatever the order of its keys: RFC 8785, with two differences that make keys safer. Lone
 * surrogates are kept as escapes, and what JSON would drop or blur (bigint, NaN, functions, maps, cycles) throws.
 * `undefined` fields are left out, as `JSON.stringify` does; `toJSON` is honoured.
 *
 * @throws GatewayError `invalid-request` naming the path of what cannot be encoded.
 */
export function canonicalJson(value: unknown): string {
  return encode(value, '', 0) ?? refuse('', 'undefined');
}

function encode(value: unknown, key: string, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value === 0 ? 0 : value) : refuse(key, String(value));
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return undefined;
    case 'object':
      if (value === null) return 'null';
      if (depth >= LIMITS.jsonDepthMax) return refuse(key, 'a cycle or too deep a value');
      return Array.isArray(value) ? encodeArray(value, depth) : encodeObject(value, key, depth);
    default:
      return refuse(key, `a ${typeof value}`);
  }
}

function encodeArray(list: readonly unknown[], depth: number): string {
  let text = '[';
  for (let index = 0; index < list.length; index++) {
    if (index > 0) text += ',';
    text += encode(list[index], String(index), depth + 1) ?? 'null';
  }
  return `${text}]`;
}

// Every object has fields as far as reading them goes; `Reflect.get` would cost five times as much.
function encodeObject(value: object, key: string, depth: number): string | undefined {
  const object = value as Readonly<Record<string, unknown>>;
  const toJson = object['toJSON'];
  if (typeof toJson === 'function') return encode(toJson.call(object, key), key, depth + 1);
  const prototype: unknown = Object.getPrototypeOf(object);
  // A Map or a RegExp would become {} and two different requests one key; a class with fields is plain enough.
  if (prototype !== Object.prototype && prototype !== null && !isRecord(object)) return refuse(key, nameOf(object));
  const names = sorted(Object.keys(object));
  let text = '';
  for (const name of names) {
    const encoded = encode(object[name], name, depth + 1);
    if (encoded === undefined) continue;
    if (text !== '') text += ',';
    text += `${PLAIN.test(name) ? `"${name}"` : JSON.stringify(name)}:${encoded}`;
  }
  return `{${text}}`;
}

/** Whether its own fields are all there is to it, as far as one can see from outside: `[object Object]`. */
function isRecord(object: object): boolean {
  return Object.prototype.toString.call(object) === '[object Object]';
}

/** Names that need no escapes: nearly all. */
const PLAIN = /^[\w$-]*$/;

/** Lists up to this long are sorted by insertion. */
const SHORT = 32;

/** In order, in place. Most lists are short and nearly sorted, since they come from a normal form. */
export function sorted(names: string[]): string[] {
  if (names.length > SHORT) return names.sort();
  for (let index = 1; index < names.length; index++) {
    const name = names[index] as string;
    let at = index;
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string;
    names[at] = name;
  }
  return names;
}

function nameOf(object: object): string {
  return `a ${Object.prototype.toString.call(object).slice('[object '.length, -1)}`;
}

function refuse(key: string, what: string): never {
  throw invalidRequest(key === '' ? 'value' : key, `${what} has no canonical JSON.`);
}
