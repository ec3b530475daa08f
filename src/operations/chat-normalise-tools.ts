import type { OutputInput, ToolInput } from './chat-input.ts';
import type { FunctionTool, OutputFormat, Tool } from './chat.ts';
import {
  type Check,
  isBoolean,
  isCacheHint,
  isNative,
  isObject,
  isString,
  isText,
  isWord,
  listOf,
  problemAt,
  shape,
  valuesOf,
  wholeFrom,
} from './field-checks.ts';
import { RequestProblem } from './problem.ts';
import { isStandardSchema, jsonSchemaOf, type SchemaLike } from './schema.ts';
import type { JsonSchema } from './shared.ts';

const COMMON = { description: isString, cache: isCacheHint, native: isNative };
/** Known fields of each kind of tool, and the one it cannot be without. */
const KINDS: Readonly<Record<string, { readonly needs: string; readonly check: Check }>> = {
  function: {
    needs: 'name',
    check: shape({ ...COMMON, name: isText, strict: isBoolean, examples: listOf(isObject), defer: isBoolean }),
  },
  freeform: {
    needs: 'name',
    check: shape({
      ...COMMON,
      name: isText,
      grammar: shape({ syntax: isWord('lark', 'regex'), definition: isString }),
    }),
  },
  hosted: {
    needs: 'tool',
    check: shape({
      ...{ tool: isText, name: isString, maxUses: wholeFrom(0), native: isNative },
      ...{ allowedDomains: listOf(isString), blockedDomains: listOf(isString), storeIds: listOf(isString) },
      location: valuesOf(isString),
    }),
  },
  mcp: {
    needs: 'server',
    check: shape({
      ...{ server: isText, url: isString, connectorId: isString, authorization: isString, native: isNative },
      ...{ headers: valuesOf(isString), allow: listOf(isString) },
      approval: (value) => (typeof value === 'string' ? isWord('always', 'never')(value) : approvals(value)),
    }),
  },
};
const approvals = shape({ never: listOf(isString), always: listOf(isString) });

export function normaliseTools(tools: readonly ToolInput[]): Tool[] {
  if (!Array.isArray(tools)) throw new RequestProblem('tools', 'expected a list of tools.');
  const names = new Set<string>();
  return tools.map((tool, index) => {
    const at = `tools[${index}]`;
    if (isObject(tool) !== undefined) throw new RequestProblem(at, 'expected a tool like { name, input }.');
    const type: unknown = tool.type === undefined ? 'function' : tool.type;
    if (typeof type !== 'string' || !Object.hasOwn(KINDS, type)) {
      throw new RequestProblem(`${at}.type`, 'expected function, freeform, hosted or mcp.');
    }
    const { needs, check } = KINDS[type] as (typeof KINDS)[string];
    const needed: unknown = Reflect.get(tool, needs);
    if (isText(needed) !== undefined)
      throw new RequestProblem(`${at}.${needs}`, `a ${type} tool needs its ${needs} as a text.`);
    const problem = check(tool);
    if (problem !== undefined) throw problemAt(at, problem);
    if (needs !== 'name') return tool as Tool;
    const { name } = tool as FunctionTool;
    if (names.has(name)) throw new RequestProblem(`${at}.name`, `there are two tools named ${name}.`);
    names.add(name);
    return type === 'freeform' ? (tool as Tool) : functionTool(tool as FunctionTool, at);
  });
}

function functionTool(
  tool: { readonly name: string; readonly input?: SchemaLike; readonly output?: SchemaLike },
  at: string,
): FunctionTool {
  if ('run' in tool || 'execute' in tool) {
    throw new RequestProblem(
      `${at}.run`,
      'tools are declared here and run by you; answer response.toolCalls with a tool message.',
    );
  }
  const { output, ...rest } = tool;
  return {
    ...rest,
    type: 'function',
    input: tool.input === undefined ? { type: 'object', properties: {} } : schemaAt(tool.input, `${at}.input`),
    ...(output !== undefined && { output: schemaAt(output, `${at}.output`) }),
  };
}

/** The JSON Schema without the `$schema` line, which some providers refuse. */
function schemaAt(schema: SchemaLike, at: string): JsonSchema {
  if (!isStandardSchema(schema) && isObject(schema) !== undefined) {
    throw new RequestProblem(at, 'expected a schema: zod, another Standard Schema, or JSON Schema.');
  }
  const converted = jsonSchemaOf(schema);
  if ('problem' in converted) throw new RequestProblem(at, `${converted.problem}.`);
  const { $schema: _dialect, ...rest } = converted.schema;
  return rest;
}

/** Formats other than a schema: what each cannot be without. */
const FORMATS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  text: {},
  json: {},
  choice: { options: listOf(isString) },
  regex: { pattern: isString },
  grammar: { syntax: isString, definition: isString },
};
const schemaFormat = shape({
  ...{ name: isText, description: isString, strict: isBoolean, native: isNative },
  via: isWord('auto', 'native', 'tool', 'prompt'),
});

/** Whether it names a format, rather than being a schema itself. */
export function namesFormat(output: object): boolean {
  const type: unknown = Reflect.get(output, 'type');
  return typeof type === 'string' && (type === 'schema' || Object.hasOwn(FORMATS, type));
}

export function normaliseOutput(output: OutputInput): OutputFormat {
  if (output === 'text' || output === 'json') return { type: output };
  if (isStandardSchema(output))
    return { type: 'schema', schema: schemaAt(output, 'output'), name: 'output', via: 'auto' };
  if (isObject(output) !== undefined) {
    throw new RequestProblem('output', "expected 'text', 'json', a schema, or { type: 'schema', schema }.");
  }
  if (!namesFormat(output as object)) {
    return { type: 'schema', schema: schemaAt(output as SchemaLike, 'output'), name: 'output', via: 'auto' };
  }
  const { type } = output as OutputFormat;
  if (type === 'schema') return asSchemaFormat(output as { schema?: SchemaLike; name?: string });
  for (const [name, check] of Object.entries(FORMATS[type] ?? {})) {
    const problem = check(Reflect.get(output as object, name));
    if (problem !== undefined) throw new RequestProblem(`output.${name}`, `${problem}.`);
  }
  return output as OutputFormat;
}

function asSchemaFormat(format: { readonly schema?: SchemaLike; readonly name?: string }): OutputFormat {
  if (format.schema === undefined) throw new RequestProblem('output.schema', "{ type: 'schema' } needs a schema.");
  const problem = schemaFormat(format);
  if (problem !== undefined) throw problemAt('output', problem);
  return {
    via: 'auto',
    ...format,
    type: 'schema',
    name: format.name ?? 'output',
    schema: schemaAt(format.schema, 'output.schema'),
  };
}
