import type { JsonObject, Native, Protocol, Warning } from '../operations/shared.ts';
import { arrayOf, recordOf } from './wire-json.ts';

/** How a thing was written or where it came from: nothing that another protocol would act on. */
const BOOKKEEPING = new Set(['~', 'type', 'id', 'status', 'shape', 'object', 'stream', 'stream_options']);
/** What the provider keeps or runs for its caller. Without it the answer would be to another question. */
const KEPT_BY_PROVIDER = new Set(['prompt', 'container', 'mcp_servers', 'item_reference', 'container_upload']);
/** Built-in tools that the caller runs: each vendor's has arguments of its own, which only its callers understand. */
const RUN_BY_CALLER = new Set<unknown>(['shell', 'local_shell', 'computer', 'text_editor', 'memory', 'apply_patch']);
/** Entries of `include` that have a canonical form. */
const INCLUDED = new Set<unknown>(['reasoning.encrypted_content', 'message.output_text.logprobs']);
/** Losses that are named; who has more knows by then. */
const LOSSES_MAX = 50;

const KEPT = 'cannot reach what another provider keeps';

type Holder = Readonly<Record<string, unknown>> & { readonly native?: Native; readonly source?: unknown };

/** What of a caller's own words is lost on a target of another protocol. */
export interface NativeLosses {
  readonly warnings: readonly Warning[];
  /** The first thing that must not be lost, and why it would be. */
  readonly refused?: { readonly path: string; readonly why: string };
}

/**
 * Looks for fields of a caller's own protocol that another one has no word for. What earlier answers carried is not
 * among them: replay has its own rules.
 */
export function nativeLosses(request: object, from: Protocol, to: Protocol): NativeLosses {
  const search = new Search(from, vendorOf(from) !== vendorOf(to));
  const { messages, system, tools, output } = request as Holder;
  search.look(request, '');
  search.look(output, 'output');
  for (const [index, tool] of arrayOf(tools).entries()) search.lookAtTool(tool, `tools[${index}]`);
  for (const [index, part] of arrayOf(system).entries()) search.look(part, `system[${index}]`);
  for (const [index, message] of arrayOf(messages).entries()) {
    const path = `messages[${index}]`;
    const { role, content } = (recordOf(message) ?? {}) as Holder;
    if (role !== 'assistant') search.look(message, path);
    for (const [at, part] of arrayOf(content).entries()) {
      search.lookAtPart(part, `${path}.content[${at}]`, role !== 'assistant');
    }
  }
  const { warnings, refused } = search;
  return { warnings, ...(refused !== undefined && { refused }) };
}

/** Files and stored prompts are known to the account they were made in. */
function vendorOf(protocol: Protocol): string {
  return protocol.split('-', 1)[0] ?? protocol;
}

class Search {
  readonly warnings: Warning[] = [];
  refused: NativeLosses['refused'];
  readonly #from: Protocol;
  readonly #otherVendor: boolean;

  constructor(from: Protocol, otherVendor: boolean) {
    this.#from = from;
    this.#otherVendor = otherVendor;
  }

  look(value: unknown, path: string): void {
    const holder = recordOf(value) as Holder | undefined;
    const fields = holder?.native?.[this.#from];
    if (holder === undefined || fields === undefined) return;
    for (const [name, said] of saying(fields)) {
      const at = path === '' ? said : `${path}.${said}`;
      if (path === '' && (KEPT_BY_PROVIDER.has(name) || isContinued(name, fields))) this.#refuse(at, KEPT);
      if (this.warnings.length >= LOSSES_MAX || saidInOurWords(name, holder)) continue;
      const message = `The target's protocol has no word for ${at}; it is left out.`;
      this.warnings.push({ code: 'unsupported', path: at, feature: said, message });
    }
  }

  lookAtTool(value: unknown, path: string): void {
    const tool = recordOf(value);
    if (this.#otherVendor && tool?.['type'] === 'hosted' && RUN_BY_CALLER.has(tool['tool'])) {
      this.#refuse(path, `has no tool that its callers run as ${String(tool['tool'])}`);
    }
    this.look(value, path);
  }

  #refuse(path: string, why: string): void {
    this.refused ??= { path, why };
  }

  lookAtPart(value: unknown, path: string, input: boolean): void {
    const part = recordOf(value) as Holder | undefined;
    if (part === undefined) return;
    const kind = part['type'] === 'native' ? recordOf(part['value'])?.['type'] : undefined;
    if (typeof kind === 'string' && KEPT_BY_PROVIDER.has(kind)) this.#refuse(path, KEPT);
    if (!input) return;
    if (this.#otherVendor && recordOf(part.source)?.['kind'] === 'file') this.#refuse(path, KEPT);
    this.look(part, path);
  }
}

/** A thread that begins here is answered from what came with it; one that goes on is known to its provider only. */
function isContinued(name: string, fields: JsonObject): boolean {
  return name === 'thread' && recordOf(fields[name])?.['previous_message_id'] !== undefined;
}

/** The fields that say something, each with its name; of an object around a single field, that one's. */
function saying(fields: JsonObject): [name: string, said: string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    if (BOOKKEEPING.has(name) || isNothing(value)) return [];
    const [inner, ...others] = Object.keys(recordOf(value) ?? {}).filter((key) => key !== 'type');
    if (recordOf(value) !== undefined && inner === undefined) return [];
    return [[name, inner === undefined || others.length > 0 ? name : `${name}.${inner}`]];
  });
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Kept in its own words only to be written back exactly: the request says it in ours, too. */
function saidInOurWords(name: string, holder: Holder): boolean {
  switch (name) {
    case 'tool_choice':
      return holder['toolChoice'] !== undefined;
    case 'conversation':
      return holder['conversation'] !== undefined;
    case 'image_url':
      return typeof holder.native?.['openai-chat']?.[name] === 'string';
    case 'include':
      return arrayOf(holder.native?.['openai-responses']?.[name]).every((entry) => INCLUDED.has(entry));
    default:
      return false;
  }
}
