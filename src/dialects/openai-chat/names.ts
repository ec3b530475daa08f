import { shortHash } from '../../core/replay.ts';
import { invalidRequest } from '../../core/errors.ts';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const ESCAPE = /_x[0-9A-F]{4}_/;
const PREFIX = 'ptnx_';
/** Longest `tool_calls[].id` that OpenAI takes over chat completions. */
const ID_LENGTH_MAX = 40;

/** A tool name in the characters of this protocol. `server.find` becomes `ptnx_server_x002E_find`. */
export function wireName(name: string, path: string): string {
  if (NAME.test(name)) return name;
  const escaped = PREFIX + name.replace(/[^A-Za-z0-9_-]|_(?=x[0-9A-F]{4}_)/g, escapeUnit);
  if (name === '' || escaped.length > 64) {
    throw invalidRequest(path, 'the tool name must be 1 to 64 letters, digits, underscores or dashes.');
  }
  return escaped;
}

function escapeUnit(unit: string): string {
  return `_x${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`;
}

/** The name behind what {@link wireName} made. Needs no table: the escaped name says it all. */
export function originalName(name: string): string {
  if (!name.startsWith(PREFIX) || !ESCAPE.test(name)) return name;
  return name
    .slice(PREFIX.length)
    .replace(/_x([0-9A-F]{4})_/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A call id the target takes. The same id always gives the same one, so that calls meet their results. */
export function wireId(id: string, form: 'any' | 'nine'): string {
  if (form === 'nine') return /^[A-Za-z0-9]{9}$/.test(id) ? id : shortHash(id).slice(0, 9);
  return id !== '' && id.length <= ID_LENGTH_MAX ? id : `call_${shortHash(id)}`;
}
