import type { DialectEnvironment } from '../../core/dialect.ts';
import type { ChatRequest, Effort, OutputFormat } from '../../operations/chat.ts';
import { mergeNative } from '../../core/wire-json.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { nearestEffort } from '../../core/effort-levels.ts';
import type { Losses } from './losses.ts';
import { takesSampling } from './models.ts';
import { PROTOCOL, type Written } from './protocol.ts';
import { strictOrNot } from './tools.ts';

/** `text`: what the answer has to look like, and how wordy it may be. */
export function outputControl(request: ChatRequest, losses: Losses, own: boolean): Written {
  const format = request.output === undefined ? undefined : formatOf(request.output, losses, own);
  const text: Written = {
    ...(format !== undefined && { format }),
    ...(request.verbosity !== undefined && { verbosity: request.verbosity }),
  };
  return Object.keys(text).length > 0 ? { text } : {};
}

function formatOf(output: OutputFormat, losses: Losses, own: boolean): Written | undefined {
  switch (output.type) {
    case 'text':
      return { type: 'text' };
    case 'json':
      return { type: 'json_object' };
    case 'schema': {
      if (output.via === 'tool' || output.via === 'prompt') {
        losses.note('degraded', 'output.via', `the schema goes to the API itself, not by ${output.via}.`);
      }
      const wanted = output.strict ?? (own ? undefined : true);
      const { schema, strict } = strictOrNot(output.schema, wanted, losses, own, 'output');
      const format: Written = {
        type: 'json_schema',
        name: output.name,
        ...(output.description !== undefined && { description: output.description }),
        schema: schema as JsonObject,
        ...(wanted !== undefined && { strict }),
      };
      return mergeNative(format, output.native, PROTOCOL);
    }
    default:
      losses.note('unsupported', 'output', `output of type ${output.type} is not possible here; use a schema.`);
      return undefined;
  }
}

/** Thinking budgets as the nearest effort at or below. */
const BUDGETS: readonly (readonly [tokens: number, effort: Effort])[] = [
  [32_768, 'xhigh'],
  [16_384, 'high'],
  [8_192, 'medium'],
  [2_048, 'low'],
  [1, 'minimal'],
];

export function reasoningControl(
  request: ChatRequest,
  environment: DialectEnvironment,
  losses: Losses,
  own: boolean,
): Written {
  const { model } = environment.target;
  const { effort, budgetTokens, show } = request.reasoning ?? {};
  const verbatim = own && request.model === model;
  let wanted = effort === undefined || verbatim ? effort : nearestEffort(effort, model);
  if (wanted !== effort) losses.note('clamped', 'reasoning.effort', `effort ${effort} became ${wanted} on this model.`);
  if (budgetTokens !== undefined) {
    wanted ??= BUDGETS.find(([tokens]) => budgetTokens >= tokens)?.[1] ?? 'none';
    losses.note('degraded', 'reasoning.budgetTokens', `a token budget is not possible here; effort is ${wanted}.`);
  }
  const reasoning: Written = {
    ...(wanted !== undefined && { effort: wanted }),
    ...(show === 'summary' && { summary: 'auto' }),
    ...(show === 'detailed' && { summary: 'detailed' }),
  };
  return Object.keys(reasoning).length > 0 ? { reasoning } : {};
}

export function sampling(request: ChatRequest, environment: DialectEnvironment, losses: Losses, own: boolean): Written {
  // A caller of this protocol who named this very model gets the server's own answer to what it asked.
  const free = (own && request.model === environment.target.model) || takesSampling(request, environment);
  const kept = (name: 'temperature' | 'topP', maximum: number): number | undefined => {
    const value = request[name];
    if (value === undefined) return undefined;
    if (!free) {
      losses.note('unsupported', name, `${name} is refused by a thinking model and was left out.`);
      return undefined;
    }
    const clamped = Math.min(maximum, Math.max(0, value));
    if (clamped !== value) losses.note('clamped', name, `${value} became ${clamped}.`);
    return clamped;
  };
  const temperature = kept('temperature', 2);
  const topP = kept('topP', 1);
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(typeof request.logprobs === 'number' && { top_logprobs: request.logprobs }),
  };
}

const UNKNOWN = [
  ...['topK', 'minP', 'presencePenalty', 'frequencyPenalty', 'repetitionPenalty', 'logitBias', 'seed', 'prediction'],
  'audio',
] as const;

/** Options the protocol has no words for. Nothing is dropped in silence. */
export function noteLosses(request: ChatRequest, losses: Losses): void {
  for (const name of UNKNOWN as readonly (keyof ChatRequest)[]) {
    if (request[name] !== undefined) losses.note('unsupported', name, `${name} does not exist here and was left out.`);
  }
  if (request.stop !== undefined && request.stop.length > 0) {
    losses.note('degraded', 'stop', 'the Responses API has no stop sequences; the text is cut when it arrives.');
  }
  if (request.n !== undefined && request.n !== 1) {
    losses.note('unsupported', 'n', 'the Responses API gives one answer a call.');
  }
  const modality = request.modalities?.find((one) => one !== 'text');
  if (modality !== undefined) {
    losses.note('unsupported', 'modalities', `${modality} cannot be asked for here; offer the image_generation tool.`);
  }
}
