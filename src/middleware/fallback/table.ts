import { type ErrorCode, invalidOptions, isGatewayError, VERDICTS } from '../../core/errors.ts';
import type { Host } from '../../core/middleware.ts';
import { anObject, checkOptions } from '../../core/options.ts';
import { normalOverrides } from '../../core/registry-overrides.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import type { FallbackTarget } from '../fallback.ts';

/** One place to go to. */
export interface Step {
  readonly model: string;
  /** In normal form. */
  readonly request: Readonly<Record<string, unknown>> | undefined;
  readonly edit: ((request: ChatRequest) => ChatRequest) | undefined;
}
export type Table = ReadonlyMap<string, readonly Step[]>;
export interface Found {
  readonly reason: string;
  readonly step: Step;
}

/** Ends of an answer that is there, but not as wanted. */
export const FINISHES = new Set<string>(['length', 'refusal', 'content-filter', 'context-length']);
const NEVER = new Set<string>(['invalid-request', 'invalid-options', 'aborted', 'closed', 'internal']);

/** Checks every reason and every step. Throws `invalid-options` naming the field. */
export function tableOf(reasons: Readonly<Record<string, unknown>>): Table {
  if (Object.keys(reasons).length === 0) {
    throw invalidOptions('fallback', 'expected at least one reason, like { "context-too-long": "long" }.');
  }
  const table = new Map<string, readonly Step[]>();
  for (const [reason, given] of Object.entries(reasons)) {
    if (NEVER.has(reason)) throw invalidOptions(`fallback.${reason}`, 'no other target can make this good.');
    if (reason !== 'any' && !FINISHES.has(reason) && !(reason in VERDICTS)) {
      throw invalidOptions(`fallback.${reason}`, `expected an error code, any, or ${[...FINISHES].join(', ')}.`);
    }
    const steps: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (steps.length === 0) throw invalidOptions(`fallback.${reason}`, 'expected a model, or a list of them.');
    table.set(
      reason,
      steps.map((step) => stepOf(reason, step)),
    );
  }
  return table;
}

function stepOf(reason: string, given: unknown): Step {
  if (typeof given === 'string' && given !== '') return { model: given, request: undefined, edit: undefined };
  const { model, request, edit } = (given ?? {}) as Partial<FallbackTarget>;
  if (typeof model !== 'string' || model === '') {
    throw invalidOptions(`fallback.${reason}`, 'expected a model, or { model, request?, edit? }.');
  }
  checkOptions(`fallback.${reason}`, given as object, {
    model: () => undefined,
    request: anObject,
    edit: (value) => (typeof value === 'function' ? undefined : 'expected a function'),
  });
  return { model, request: normalOverrides(request, `fallback.${reason}.request`), edit };
}

/** A name that nothing answers to is found at creation, not in the first outage. */
export function checkModels(table: Table, host: Host): void {
  for (const [reason, steps] of table) {
    for (const { model } of steps) {
      try {
        host.resolve(model, 'chat');
      } catch (error) {
        throw invalidOptions(`fallback.${reason}`, isGatewayError(error) ? error.message : `${model} is not known.`);
      }
    }
  }
}

/** The first place not yet used that is named for one of the reasons, the most exact first. */
export function stepFor(
  table: Table,
  reasons: readonly (ErrorCode | string)[],
  used: ReadonlySet<Step>,
): Found | undefined {
  for (const reason of reasons) {
    const step = table.get(reason)?.find((candidate) => !used.has(candidate));
    if (step !== undefined) return { reason, step };
  }
  return undefined;
}
