import { mergeNative } from '../../core/wire-json.ts';
import type { ChatRequest, OutputFormat } from '../../operations/chat.ts';
import type { Json } from '../../operations/shared.ts';
import { type Encoding, PROTOCOL, type Wire } from './encoding.ts';
import { OUTPUT_TOOL } from './parts.ts';
import { plainSchema } from './schema.ts';

type SchemaOutput = Extract<OutputFormat, { type: 'schema' }>;

/** How the shape of the answer is asked for: one of the fields is set, or none. */
export interface OutputPlan {
  /** `output_config.format`. */
  readonly format?: Wire;
  /** A tool the model is made to call; the decoder turns its call back into text. */
  readonly tool?: Wire;
  /** An instruction at the end of `system`. */
  readonly instruction?: string;
}

export function encodeOutput(request: ChatRequest, encoding: Encoding): OutputPlan {
  const { output } = request;
  if (output === undefined) return {};
  switch (output.type) {
    case 'text':
      return {};
    case 'schema':
      return schemaPlan(output, request, encoding);
    case 'json':
      return degraded('Answer with one JSON object and nothing else.', 'output json', encoding);
    case 'choice': {
      const options = output.options.map((option) => JSON.stringify(option)).join(', ');
      return degraded(`Answer with exactly one of these and nothing else: ${options}.`, 'output choice', encoding);
    }
    default:
      return encoding.refuse(`output ${output.type}`, 'output', 'this protocol has no such constraint');
  }
}

function schemaPlan(output: SchemaOutput, request: ChatRequest, encoding: Encoding): OutputPlan {
  const via = output.via ?? 'auto';
  if (via === 'native' && !encoding.model.format) {
    encoding.refuse('structured output', 'output', 'this model has none; use via "tool" or "prompt"');
  }
  if (via === 'native' || (via === 'auto' && encoding.model.format)) return { format: nativeFormat(output, encoding) };
  // A tool of ours beside the caller's would keep the model from calling theirs.
  const alone = (request.tools ?? []).length === 0;
  // Arguments are always an object, so only such an answer can be one.
  const isObject = output.schema['type'] === undefined || output.schema['type'] === 'object';
  if (via === 'tool' || (via === 'auto' && alone && isObject && encoding.model.forcedTools)) {
    if (!isObject) encoding.refuse('an answer by a tool that is no object', 'output.schema', 'wrap it in an object');
    if (!alone) encoding.refuse('structured output by a tool', 'output.via', 'the request has tools of its own');
    if (via === 'auto')
      encoding.lose('degraded', 'output', 'output', 'the schema is sent as a tool the model must call');
    const description = output.description ?? 'Gives the answer. Call it exactly once.';
    return { tool: { name: OUTPUT_TOOL, description, input_schema: output.schema as Record<string, Json> } };
  }
  const instruction = `Answer with JSON that fits this JSON Schema and nothing else:\n${JSON.stringify(output.schema)}`;
  return via === 'prompt' ? { instruction } : degraded(instruction, 'output schema', encoding);
}

function nativeFormat(output: SchemaOutput, encoding: Encoding): Wire {
  // What came through our own door in this very form goes out as it came.
  const own = encoding.facts['schema'] === output.schema;
  const { schema, changed } = own ? { schema: output.schema, changed: false } : plainSchema(described(output));
  if (changed) {
    const message = 'keywords that structured output does not enforce were moved into descriptions';
    encoding.lose('schema-rewritten', 'output', 'output.schema', message);
  }
  return mergeNative<Wire>({ type: 'json_schema', schema: schema as Wire }, output.native, PROTOCOL);
}

/** The format has no place for a description but the schema's own. */
function described({ schema, description }: SchemaOutput): SchemaOutput['schema'] {
  return description === undefined || schema['description'] !== undefined ? schema : { ...schema, description };
}

function degraded(instruction: string, feature: string, encoding: Encoding): OutputPlan {
  encoding.lose('degraded', feature, 'output', 'the shape of the answer is only asked for in words');
  return { instruction };
}
