import { GatewayError } from '../../core/errors.ts';
import { mintId, stamped } from '../../core/replay.ts';
import { nativeRest, parseArguments, parseJson, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { ToolCallPart } from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { BlockText, type Slots } from './block-writer.ts';
import { PROTOCOL, withHints } from './hints.ts';
import { originalName } from './names.ts';

type Emit = (event: ChatEvent) => void;
const KNOWN = new Set(['id', 'index', 'type', 'function', 'custom', 'name', 'arguments', 'input']);

interface Call {
  /** The id on the wire; empty where none came. */
  wireId: string;
  id: string;
  readonly index: number | undefined;
  name: string;
  /** Argument text that came before the name. */
  early: string;
  block: BlockText | undefined;
  readonly custom: boolean;
  readonly legacy: boolean;
  native: JsonObject | undefined;
  ended: boolean;
}

/** Puts the tool calls of one choice together, whatever a server does with ids and indexes (TOOL-01, TOOL-02). */
export class CallAssembler {
  readonly #calls: Call[] = [];
  readonly #slots: Slots;
  readonly #seed: string;

  constructor(slots: Slots, seed: string) {
    this.#slots = slots;
    this.#seed = seed;
  }

  get any(): boolean {
    return this.#calls.length > 0;
  }

  /** Adds one entry of `tool_calls`. `whole`: it is a call of its own, not a piece of one. */
  add(value: unknown, whole: boolean, emit: Emit, legacy = false): void {
    const wire = recordOf(value);
    if (wire === undefined) return;
    // Servers with fixed structs send the kind that is not meant as well, empty.
    const custom = wire['type'] === 'custom' || wire['function'] === undefined ? recordOf(wire['custom']) : undefined;
    const fn = custom ?? recordOf(wire['function']) ?? wire;
    const id = stringOf(wire['id']) ?? '';
    const index = typeof wire['index'] === 'number' ? wire['index'] : undefined;
    const name = stringOf(fn['name']) ?? '';
    const text = textOfArguments(custom === undefined ? fn['arguments'] : fn['input']);
    if (id === '' && name === '' && text === '' && (whole || index === undefined)) return;
    let call = whole ? undefined : this.#find(id, index, name, text);
    if (call === undefined) {
      call = this.#open({ id, index, custom: custom !== undefined || wire['type'] === 'custom', legacy }, emit);
    } else if (call.wireId === '' && call.block === undefined && id !== '') {
      call.wireId = id;
      call.id = this.#free(id);
    }
    const extra = nativeRest(wire, KNOWN, PROTOCOL)?.[PROTOCOL];
    if (extra !== undefined) call.native = { ...call.native, ...extra };
    this.#append(call, name, text, emit);
  }

  #append(call: Call, name: string, text: string, emit: Emit): void {
    if (call.ended) {
      // Blank or repeated text after a whole call is harmless; more than that cannot be told apart.
      if (text.trim() === '' || text === call.block?.text) return;
      throw new GatewayError('bad-response', 'The pieces of two tool calls cannot be told apart: same id and index.');
    }
    if (call.block === undefined && call.name === '') call.name = name;
    if (call.name === '') {
      call.early += text;
      return;
    }
    if (call.block === undefined) {
      this.#start(call, emit);
      text = call.early + text;
    }
    if (text !== '') call.block?.push(text, emit);
  }

  #start(call: Call, emit: Emit): void {
    call.block = new BlockText('tool-call-delta', this.#slots);
    emit({
      type: 'tool-call-start',
      ...this.#slots.at(call.block.index),
      id: call.id,
      name: originalName(call.name),
      executor: 'client',
      encoding: call.custom ? 'text' : 'json',
    });
  }

  #find(id: string, index: number | undefined, name: string, text: string): Call | undefined {
    const calls = this.#calls;
    let found: Call | undefined;
    if (id !== '') {
      found = calls.findLast((call) => call.wireId === id);
      if (found !== undefined && index !== undefined && found.index !== undefined && found.index !== index) {
        // One id on two indexes: a name begins a call, anything else belongs to the index.
        found = calls.findLast((call) => call.index === index) ?? (name === '' ? found : undefined);
      }
      if (found === undefined) {
        const late = calls.findLast((call) => (index === undefined ? call === calls.at(-1) : call.index === index));
        return late !== undefined && late.wireId === '' && late.block === undefined ? late : undefined;
      }
    } else if (index !== undefined) {
      found = calls.findLast((call) => call.index === index);
    } else {
      found = calls.at(-1);
    }
    return found !== undefined && beginsAnother(found, name, text) ? undefined : found;
  }

  #open(facts: Pick<Call, 'index' | 'custom' | 'legacy'> & { id: string }, emit: Emit): Call {
    // Eager close: a call whose text is whole waits for nobody.
    for (const earlier of this.#calls) if (!earlier.ended && isWhole(earlier)) this.#end(earlier, false, emit);
    const { id: wireId, ...rest } = facts;
    const call: Call = {
      ...rest,
      wireId,
      id: this.#free(wireId),
      name: '',
      early: '',
      block: undefined,
      native: undefined,
      ended: false,
    };
    this.#calls.push(call);
    return call;
  }

  /** An id no other call of this choice has: the server's own, or one minted from place and answer. */
  #free(id: string): string {
    if (id !== '' && !this.#calls.some((call) => call.id === id)) return id;
    return mintId('call', `${this.#seed}\u0000${this.#slots.choice}\u0000${this.#calls.length}\u0000${id}`);
  }

  /** Ends every call. `cut`: the answer hit its length limit. */
  endAll(cut: boolean, emit: Emit): void {
    const last = this.#calls.at(-1);
    for (const call of this.#calls) if (!call.ended) this.#end(call, cut && call === last, emit);
  }

  #end(call: Call, cut: boolean, emit: Emit): void {
    call.ended = true;
    if (call.block === undefined) {
      this.#start(call, emit);
      if (call.early !== '') call.block!.push(call.early, emit);
    }
    const block = call.block!;
    block.flush(emit);
    const native = withHints(
      call.native === undefined ? undefined : { [PROTOCOL]: call.native },
      call.legacy ? { legacy: true } : {},
    );
    const part: ToolCallPart = {
      type: 'tool-call',
      id: call.id,
      name: originalName(call.name),
      ...argumentsOf(call, block.text, cut),
      ...(native !== undefined && { native }),
    };
    emit({ type: 'tool-call-end', ...this.#slots.at(block.index), part: stamped(part) });
  }
}

function argumentsOf(call: Call, text: string, cut: boolean): Pick<ToolCallPart, 'args' | 'argsText' | 'invalid'> {
  if (call.name === '') return { args: null, argsText: text, invalid: { message: 'the call names no tool' } };
  if (call.custom)
    return cut ? { args: text, invalid: { message: 'the answer was cut at its length limit' } } : { args: text };
  // An empty text cut at the limit is not a call without arguments.
  if (cut && text.trim() === '') {
    return { args: null, argsText: text, invalid: { message: 'the answer was cut before the arguments' } };
  }
  return { ...parseArguments(text), argsText: text };
}

/** Some servers send arguments as an object. */
function textOfArguments(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function isWhole(call: Call): boolean {
  if (call.custom || call.block === undefined) return false;
  const { text } = call.block;
  return text.endsWith('}') && recordOf(parseJson(text)) !== undefined;
}

/** Whether a piece for this call must be a new call all the same: it has a name, and this call is done or another. */
function beginsAnother(call: Call, name: string, text: string): boolean {
  if (name === '' || call.block === undefined) return false;
  if (name !== call.name) return true;
  return (call.ended || isWhole(call)) && text.trim() !== '' && text !== call.block.text;
}
