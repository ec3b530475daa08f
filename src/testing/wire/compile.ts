import type { DoorDialect, DoorEnvironment } from '../../core/dialect.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import type { EmbedResponse } from '../../operations/embed.ts';
import type { Fault, FaultPosition } from '../script/fault.ts';
import { type PieceOptions, piecedEvents } from '../script/pieces.ts';
import { isPiece } from '../script/pieces-source.ts';
import { changeResponse, withoutUsage } from './change-response.ts';
import { errorOf, failurePlan } from './failure.ts';
import { isLast, send, wait, type WirePlan, type WireStep } from './plan.ts';
import { codecOf, errorFrame, indexOf, plainSegments, type Segment, streamSegments } from './segments.ts';

/** A scripted answer on its way to the wire. */
export interface Answering extends PieceOptions {
  readonly door: DoorDialect;
  readonly environment: DoorEnvironment;
  readonly stream: boolean;
  readonly faults: readonly Fault[];
  readonly delayMs: number;
  readonly pieceDelayMs: number;
}

const HUGE_BYTES = 2 * 1024 * 1024;

/** A chat answer, with its faults, as steps on the wire. */
export function compileChat(response: ChatResponse, answering: Answering): WirePlan {
  const { door, environment, stream, faults } = answering;
  const failed = failureOf(answering, response.requestId);
  if (failed !== undefined) return failed;
  const changed = changeResponse(response, faults);
  if (!stream) return plain(codecOf(door).encodeResponse(changed, environment), answering);
  const segments = streamSegments(piecedEvents(changed, answering), door, environment);
  const headers = {
    ...headersOf(answering),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  };
  return assemble(segments, 200, headers, answering);
}

export function compileEmbed(response: EmbedResponse, answering: Answering): WirePlan {
  const failed = failureOf(answering, response.requestId);
  if (failed !== undefined) return failed;
  const { embed } = answering.door;
  if (embed === undefined) throw new TypeError(`${answering.door.protocol} has no embeddings.`);
  return plain(embed.encodeResponse(response, answering.environment), answering);
}

function plain(
  encoded: { status: number; headers: Readonly<Record<string, string>>; body: object },
  answering: Answering,
): WirePlan {
  const { door, environment, faults } = answering;
  const error = faults.find((fault) => fault.kind === 'error');
  if (error?.kind === 'error') {
    const { body } = door.encodeError(errorOf(error.code ?? 'overloaded', error.message), environment);
    return assemble(
      plainSegments(JSON.stringify(body)),
      200,
      { ...headersOf(answering), 'content-type': 'application/json' },
      answering,
    );
  }
  return assemble(
    plainSegments(JSON.stringify(encoded.body)),
    encoded.status,
    { ...headersOf(answering), ...encoded.headers },
    answering,
  );
}

function failureOf(answering: Answering, _requestId?: string): WirePlan | undefined {
  const { faults, door, environment } = answering;
  return failurePlan(faults, beforeOf(answering), door, headersOf(answering), environment.nowMs);
}

function headersOf({ faults }: Answering): Record<string, string> {
  return Object.assign({}, ...faults.map((fault) => (fault.kind === 'headers' ? fault.headers : {})));
}

/** Everything that happens before the headers. */
function beforeOf({ faults, delayMs }: Answering): WireStep[] {
  const steps: WireStep[] = delayMs > 0 ? [wait(delayMs)] : [];
  for (const fault of faults) {
    if (fault.kind === 'slow-read') steps.push(wait(fault.ms ?? 1_000));
    if (!('at' in fault) || fault.at !== 'before-headers') continue;
    if (fault.kind === 'hang' || fault.kind === 'pings') steps.push({ do: 'hang' });
    else if (fault.kind === 'reset' || fault.kind === 'cut') steps.push({ do: 'reset' });
    else if (fault.kind === 'pause') steps.push(wait(fault.ms));
  }
  return steps;
}

function assemble(
  segments: readonly Segment[],
  status: number,
  headers: Readonly<Record<string, string>>,
  answering: Answering,
): WirePlan {
  const { faults, pieceDelayMs } = answering;
  const inserted = new Map<number, WireStep[]>();
  for (const fault of faults) {
    const steps = stepsOf(fault, segments, answering);
    if (steps === undefined) continue;
    const index = indexOf(positionOf(fault), segments);
    inserted.set(index, [...(inserted.get(index) ?? []), ...steps]);
  }
  const noUsage = faults.some(({ kind }) => kind === 'no-usage');
  const whole = segments.map(({ text }) => text).join('');
  const body: WireStep[] = [];
  for (let index = 0; index <= segments.length; index++) {
    body.push(...(inserted.get(index) ?? []));
    const segment = segments[index];
    if (segment === undefined) break;
    if (segment.event !== undefined && isPiece(segment.event) && pieceDelayMs > 0) body.push(wait(pieceDelayMs));
    if (noUsage && segment.event === undefined) {
      // A plain body is two halves of one text.
      if (index === 0) body.push(send(withoutUsage(whole)));
    } else if (segment.text !== '') body.push(send(noUsage ? withoutUsage(segment.text) : segment.text));
  }
  const last = body.findIndex(isLast);
  const cut = last === -1 ? body : body.slice(0, last + 1);
  const spaced = faults.some((fault) => 'at' in fault || fault.kind === 'huge-line');
  return { before: beforeOf(answering), status, headers, body: dripped(cut, faults), ...(spaced && { spaced }) };
}

function positionOf(fault: Fault): FaultPosition {
  if ('at' in fault && fault.at !== undefined) return fault.at;
  return fault.kind === 'huge-line' ? 'after-headers' : { content: 1 };
}

/** What a fault does where it strikes; `undefined` for faults that are not at one place, or already done. */
function stepsOf(fault: Fault, segments: readonly Segment[], answering: Answering): WireStep[] | undefined {
  if ('at' in fault && fault.at === 'before-headers') return undefined;
  const { stream, door, environment } = answering;
  switch (fault.kind) {
    case 'cut':
      return [{ do: 'end' }];
    case 'reset':
      return [{ do: 'reset' }];
    case 'hang':
      return [{ do: 'hang' }];
    case 'pause':
      return [wait(fault.ms)];
    case 'pings': {
      const text =
        door.protocol === 'anthropic-messages' ? 'event: ping\ndata: {"type":"ping"}\n\n' : ': keep-alive\n\n';
      return [{ do: 'ping', everyMs: fault.everyMs ?? 1_000, text: stream ? text : ' ' }];
    }
    case 'junk':
      return [send(stream ? `data: ${fault.text ?? '{"choices":[{"delta":'}\n\n` : (fault.text ?? '"<<<\n'))];
    case 'duplicate': {
      const before = segments.slice(0, indexOf(positionOf(fault), segments)).findLast(({ text }) => text !== '');
      return before === undefined ? [] : [send(before.text)];
    }
    case 'huge-line':
      return [
        send(stream ? `data: ${'x'.repeat(fault.bytes ?? HUGE_BYTES)}\n\n` : ' '.repeat(fault.bytes ?? HUGE_BYTES)),
      ];
    case 'error': {
      if (!stream) return undefined;
      const index = indexOf(positionOf(fault), segments);
      const error = errorOf(fault.code ?? 'overloaded', fault.message);
      return [send(errorFrame(segments, index, error, door, environment)), { do: 'end' }];
    }
    default:
      return undefined;
  }
}

function dripped(steps: readonly WireStep[], faults: readonly Fault[]): readonly WireStep[] {
  const drip = faults.find((fault) => fault.kind === 'drip');
  if (drip?.kind !== 'drip') return steps;
  const { bytes: size = 1, everyMs = 0 } = drip;
  return steps.flatMap((step) => {
    if (step.do !== 'send') return [step];
    const pieces: WireStep[] = [];
    for (let at = 0; at < step.bytes.length; at += size) {
      if (everyMs > 0) pieces.push(wait(everyMs));
      pieces.push({ do: 'send', bytes: step.bytes.subarray(at, at + size) });
    }
    return pieces;
  });
}
