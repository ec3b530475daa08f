import { mintId, stamped } from '../../core/replay.ts';
import { arrayOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type {
  AssistantMessage,
  Message,
  NativePart,
  OutputPart,
  SystemMessage,
  TextPart,
  ToolResultPart,
  UserMessage,
} from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { isCall } from './calls.ts';
import { contentParts } from './door-content.ts';
import { isWrapped, unwrapSealed } from './envelope.ts';
import { messagePart, nativePart, partsOfItem, phaseOf } from './items.ts';
import { asNative, PROTOCOL, restOf, type Wire } from './protocol.ts';

const MESSAGE_FIELDS = new Set(['role', 'content']);
const EASY_FIELDS = new Set(['role', 'content', 'phase']);
const OUTPUT_FIELDS = new Set(['type', 'call_id', 'output']);
const APPROVAL_FIELDS = new Set(['type', 'approval_request_id', 'approve', 'reason']);
/** Items that stand for the user's side although they are no message. */
const USER_SIDE = new Set(['compaction_trigger', 'configuration_update']);

/** Input items as turns: what the assistant did in a row is one message, and so are the answers to its calls. */
export function messagesOf(input: unknown): Message[] {
  if (typeof input === 'string') return [{ role: 'user', content: [{ type: 'text', text: input }] }];
  const turns = new Turns();
  for (const entry of arrayOf(input)) {
    const item = recordOf(entry);
    if (item !== undefined) turns.add(item);
  }
  return turns.messages;
}

class Turns {
  readonly messages: Message[] = [];
  /** Names of the calls so far, and whether the provider ran them itself. */
  readonly #calls = new Map<string, { readonly name: string; readonly hosted: boolean }>();

  add(item: Wire): void {
    const type = stringOf(item['type']) ?? (item['role'] === undefined ? 'item_reference' : 'message');
    if (type === 'message') return this.#message(item);
    if (type === 'reasoning') return this.#reasoning(item);
    if (type === 'mcp_approval_response') return this.#approval(item);
    if (type === 'additional_tools') {
      this.messages.push({ role: 'developer', content: [nativePart(item)] });
    } else if (USER_SIDE.has(type)) {
      this.messages.push({ role: 'user', content: [nativePart(item)] });
    } else if (type.endsWith('_call_output') || (type === 'tool_search_output' && item['execution'] === 'client')) {
      this.#output(item, type);
    } else if (isCall(type) || type === 'mcp_approval_request') {
      const parts = partsOfItem(item);
      for (const part of parts) {
        if (part.type === 'tool-call')
          this.#calls.set(part.id, { name: part.name, hosted: part.executor === 'provider' });
      }
      this.#assistant(parts);
    } else {
      this.#assistant([nativePart(item)]);
    }
  }

  #message(item: Wire): void {
    const role = stringOf(item['role']) ?? 'user';
    if (role === 'assistant') return this.#assistant(saidParts(item));
    const content = contentParts(item['content']);
    // One plain text in a list would come back as bare text.
    const listed = Array.isArray(item['content']) && content.length === 1 && content[0]?.type === 'text';
    const known = role === 'user' || role === 'system' || role === 'developer';
    const native = asNative({
      ...restOf(item, MESSAGE_FIELDS),
      ...(listed && { shape: 'list' }),
      ...(!known && { role }),
    });
    if (role === 'system' || role === 'developer') {
      // Instructions are text; anything else in them goes back whole.
      const entries = arrayOf(item['content']);
      const texts = content.map((part, index) =>
        part.type === 'text' ? part : nativePart(recordOf(entries[index]) ?? {}),
      );
      this.messages.push({ role, content: texts, ...native } satisfies SystemMessage);
    } else {
      this.messages.push({ role: 'user', content, ...native } satisfies UserMessage);
    }
  }

  #reasoning(item: Wire): void {
    const [part] = partsOfItem(item);
    if (part?.type !== 'reasoning') return;
    const sealed = part.sealed?.value;
    if (sealed === undefined || !isWrapped(sealed)) return this.#assistant([part]);
    const { sealed: _wrapped, native: _native, stamp: _stamp, id: _id, ...rest } = part;
    const held = unwrapSealed(sealed, part.text);
    // A broken seal is worth nothing; encoding says so when it leaves the part out.
    if (held === undefined) return this.#assistant([rest]);
    this.#assistant([stamped({ ...rest, form: held.form, sealed: held.sealed })], held.protocol);
  }

  #approval(item: Wire): void {
    const reason = stringOf(item['reason']);
    this.messages.push({
      role: 'user',
      content: [
        {
          type: 'approval-response',
          requestId: stringOf(item['approval_request_id']) ?? '',
          approved: item['approve'] === true,
          ...(reason !== undefined && { reason }),
          ...asNative({ ...restOf(item, APPROVAL_FIELDS), ...(item['reason'] === null && { reason: null }) }),
        },
      ],
    });
  }

  #output(item: Wire, type: string): void {
    const callId = stringOf(item['call_id']) ?? stringOf(item['id']);
    const call = callId === undefined ? undefined : this.#calls.get(callId);
    if (call?.hosted === true) return this.#assistant([nativePart(item)]);
    this.#answer(type === 'tool_search_output' ? nativePart(item) : resultPart(item, type, callId, call?.name));
  }

  #answer(part: ToolResultPart | NativePart): void {
    const last = this.messages.at(-1);
    if (last?.role === 'tool') (last.content as (ToolResultPart | NativePart)[]).push(part);
    else this.messages.push({ role: 'tool', content: [part] });
  }

  /** A turn whose reasoning another protocol sealed keeps that origin; a turn has one origin only. */
  #assistant(parts: readonly OutputPart[], sealedBy?: string): void {
    const last = this.messages.at(-1);
    const origin = sealedBy ?? PROTOCOL;
    const mixed = sealedBy !== undefined && last?.role === 'assistant' && last.origin?.protocol !== sealedBy;
    if (last?.role === 'assistant' && !mixed) {
      (last.content as OutputPart[]).push(...parts);
      return;
    }
    const message: AssistantMessage = {
      role: 'assistant',
      content: [...parts],
      origin: { protocol: origin, provider: '', model: '' },
    };
    this.messages.push(message);
  }
}

/** What the assistant said, in the short form (bare text) or the long one (entries). */
function saidParts(item: Wire): OutputPart[] {
  const { content } = item;
  const phase = phaseOf(item);
  if (typeof content === 'string') {
    const rest = restOf(item, EASY_FIELDS);
    const shaped = Object.keys(rest).length > 0 ? { shape: 'text', item: rest } : {};
    return [
      stamped({ type: 'text', text: content, ...(phase !== undefined && { phase }), ...asNative(shaped) } as TextPart),
    ];
  }
  return arrayOf(content).map((one, index): OutputPart => {
    const entry = recordOf(one) ?? {};
    const part = messagePart(item, entry);
    if (part.type === 'native') return part;
    const own: JsonObject = part.native?.[PROTOCOL] ?? {};
    const extra = {
      ...own,
      ...(entry['logprobs'] !== undefined && { logprobs: entry['logprobs'] }),
      shape: 'list',
      ...(index > 0 && { joined: true }),
    };
    const { stamp: _stamp, ...bare } = part;
    return stamped({ ...bare, native: { [PROTOCOL]: extra as JsonObject } });
  });
}

function resultPart(item: Wire, type: string, callId: string | undefined, name: string | undefined): ToolResultPart {
  const plain = type === 'function_call_output' || type === 'custom_tool_call_output';
  // An answer without its call's id, or to a built-in tool, only makes sense whole.
  const unknown = type === 'custom_tool_call_output' && name === undefined;
  const whole = !plain || unknown || stringOf(item['call_id']) === undefined;
  const output = item['output'];
  const list = arrayOf(output).length > 0 ? contentParts(output) : undefined;
  const readable = list?.every((part) => part.type !== 'native') === true;
  const content = plain && readable ? (list as Exclude<(typeof list)[number], NativePart>[]) : undefined;
  return {
    type: 'tool-result',
    callId: callId ?? mintId('call', JSON.stringify(item)),
    ...(name !== undefined && { name }),
    content:
      typeof output === 'string' ? output : (content ?? [{ type: 'json', value: (output ?? null) as JsonObject }]),
    ...(whole || (content === undefined && typeof output !== 'string')
      ? { native: { [PROTOCOL]: item as JsonObject } }
      : asNative(restOf(item, OUTPUT_FIELDS))),
  };
}
