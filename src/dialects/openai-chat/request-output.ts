import { strictSchema } from '../../core/strict-schema.ts';
import type { JsonObject } from '../../operations/shared.ts';
import type { Encoding } from './request.ts';
import { mergeWire } from './hints.ts';

/** What the answer has to look like; `instruction` where that must be said in words. */
export interface EncodedOutput {
  readonly response_format?: JsonObject;
  readonly structured_outputs?: JsonObject;
  readonly instruction?: string;
}

export function encodeOutput(encoding: Encoding): EncodedOutput {
  const { request, quirks, facts, losses } = encoding;
  const { output } = request;
  if (output === undefined) return {};
  switch (output.type) {
    case 'text':
      return facts?.textFormat === true ? { response_format: { type: 'text' } } : {};
    case 'json':
      return { response_format: { type: 'json_object' } };
    case 'schema':
      return encodeSchema(encoding, output);
    default: {
      if (quirks.guided !== 'structured-outputs') return losses.refuse('output', `output of type ${output.type}`);
      if (output.type === 'choice') return { structured_outputs: { choice: output.options } };
      if (output.type === 'regex') return { structured_outputs: { regex: output.pattern } };
      return { structured_outputs: { grammar: output.definition } };
    }
  }
}

type Schema = Extract<NonNullable<Encoding['request']['output']>, { type: 'schema' }>;

function encodeSchema({ quirks, verbatim, losses }: Encoding, output: Schema): EncodedOutput {
  if (output.via === 'prompt' || (output.via !== 'native' && quirks.outputSchema === 'json')) {
    if (output.via !== 'prompt') {
      losses.warn('degraded', 'output', 'output', 'This server takes no schema; it is given to the model in words.');
    }
    const instruction = `Answer with one JSON object that fits this JSON Schema, and nothing else:\n${JSON.stringify(output.schema)}`;
    return { response_format: { type: 'json_object' }, instruction };
  }
  if (output.via === 'tool') {
    losses.note('other', 'output.via', 'output', 'The schema is sent as a response format, which this protocol has.');
  }
  // An application that speaks this protocol has made its schema strict itself, or does not want it to be.
  const rewritten =
    verbatim || output.strict === false || quirks.strict === false
      ? { schema: output.schema, strict: output.strict, changed: false }
      : strictSchema(output.schema);
  if (rewritten.changed) {
    losses.note(
      'schema-rewritten',
      'output.schema',
      'output',
      'Optional properties are sent as required and nullable.',
    );
  }
  const strict = quirks.strict === false ? undefined : output.strict === true ? true : rewritten.strict;
  const schema: JsonObject = {
    name: output.name,
    ...(output.description !== undefined && { description: output.description }),
    schema: rewritten.schema as JsonObject,
    ...(strict !== undefined && { strict }),
  };
  return { response_format: { type: 'json_schema', json_schema: mergeWire(schema, output.native) } };
}
