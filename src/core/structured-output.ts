import type { ChatResponse } from '../operations/chat.ts';
import { textOf } from '../operations/chat.ts';
import { issueText, type SchemaLike, validateWith, withoutStrictNulls } from '../operations/schema.ts';
import type { JsonSchema } from '../operations/shared.ts';
import type { Call } from './call.ts';
import { contextKey } from './context.ts';
import { GatewayError } from './errors.ts';
import { parseJson } from './wire-json.ts';

/** The schema a call was written with. The request itself holds only its JSON Schema. */
export const outputSchemaKey = contextKey<SchemaLike | undefined>('output schema', undefined);

/** Whether the call wants more than text back. */
export function wantsOutput(call: Call<'chat'>): boolean {
  const { output } = call.request;
  return output !== undefined && output.type !== 'text' && output.type !== 'regex' && output.type !== 'grammar';
}

/**
 * The parsed and checked output of an answer.
 *
 * @throws GatewayError `invalid-output` with the answer as `partial`; `undefined` where the model called a tool,
 * refused or was filtered: there is no output to check then.
 */
export async function outputOf(call: Call<'chat'>, response: ChatResponse): Promise<unknown> {
  const { output } = call.request;
  if (output === undefined || !wantsOutput(call)) return undefined;
  const { reason } = response.finish;
  if (reason === 'tool-calls' || reason === 'refusal' || reason === 'content-filter' || reason === 'pause')
    return undefined;
  const text = textOf(response.message);
  if (output.type === 'choice') {
    if (output.options.includes(text.trim())) return text.trim();
    throw invalid(call, response, 'it is none of the allowed choices');
  }
  const value = parseJson(unfenced(text));
  if (value === undefined) {
    throw invalid(call, response, reason === 'length' ? 'it was cut off by maxTokens' : 'it is not JSON');
  }
  if (output.type !== 'schema') return value;
  const schema: SchemaLike = call.context.get(outputSchemaKey) ?? output.schema;
  const verdict = await validateWith(schema, withoutStrictNulls(value, output.schema as JsonSchema));
  if (verdict.issues === undefined) return verdict.value;
  const problems = verdict.issues.slice(0, 3).map((issue) => issueText({ message: 'does not fit', path: issue.path }));
  throw invalid(call, response, `it does not fit the schema (${problems.join('; ')})`);
}

function invalid({ context }: Call<'chat'>, response: ChatResponse, why: string): GatewayError {
  return new GatewayError(
    'invalid-output',
    `The answer of ${response.model} has not the form that was asked for: ${why}.`,
    {
      partial: response,
      usage: response.usage,
      attempts: [...context.attempts],
      committed: true,
    },
  );
}

/** JSON that a model put into a Markdown fence. */
function unfenced(text: string): string {
  const fence = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text);
  return fence?.[1] ?? text;
}
