import { resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'rolldown';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

const PROGRAM = `
  import { createGateway } from '${ROOT}/src/index.ts';
  import { openai } from '${ROOT}/src/providers/openai/index.ts';
  globalThis.main = async (fetch) => {
    const gateway = createGateway({
      providers: [openai({ transport: 'fetch', api: 'chat', apiKey: 'sk-edge-0123456789', fetch })],
      models: { default: 'openai/gpt-test' },
    });
    const plain = await gateway.chat('Hello');
    let streamed = '';
    for await (const text of gateway.stream('Hello').text) streamed += text;
    let run;
    try { gateway.run({ tenant: 'a' }, () => 1); } catch (error) { run = error.code; }
    return { plain: plain.text, streamed, run };
  };`;

/** One program as an edge runtime would get it: everything in one file, no SDK, no node: module. */
async function bundle(): Promise<string> {
  const { output } = await build({
    input: 'program',
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : undefined),
        load: (id) => (id === 'program' ? PROGRAM : undefined),
      },
    ],
    platform: 'neutral',
    // Its paths are Node's half.
    tsconfig: false,
    resolve: { mainFields: ['module', 'main'], alias: { '#platform': resolve(ROOT, 'src/platform/web.ts') } },
    external: ['openai', '@anthropic-ai/sdk', /^node:/],
    output: { format: 'iife', codeSplitting: false },
    write: false,
    logLevel: 'silent',
  });
  const imports = output.flatMap((file) => (file.type === 'chunk' ? [...file.imports, ...file.dynamicImports] : []));
  expect(imports.filter((path) => path.startsWith('node:'))).toEqual([]);
  return output[0].code;
}

const chunk = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-test', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

describe('an edge runtime', () => {
  it('answers plain and streamed with web globals only and no SDK', async () => {
    // What every web runtime has (WinterTC minimum common API), and nothing of Node's.
    const web = {
      fetch,
      Response,
      Request,
      Headers,
      ReadableStream,
      TextEncoder,
      TextDecoder,
      AbortController,
      AbortSignal,
      URL,
      URLSearchParams,
      crypto,
      btoa,
      atob,
      setTimeout,
      clearTimeout,
      queueMicrotask,
      performance,
      structuredClone,
      Event,
      EventTarget,
      DOMException,
    };
    const context = createContext({ ...web });
    runInContext(await bundle(), context);
    const fakeFetch = async (_url: string, init: { body: string }) => {
      if (init.body.includes('"stream":true')) {
        return new Response(
          `${chunk({ content: 'Hello ' }, null)}${chunk({ content: 'edge' }, 'stop')}data: [DONE]\n\n`,
          { headers: { 'content-type': 'text/event-stream' } },
        );
      }
      return Response.json({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'gpt-test',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello edge' }, finish_reason: 'stop' }],
      });
    };
    const result: unknown = await (context as unknown as { main(fetch: unknown): Promise<unknown> }).main(fakeFetch);
    expect(result).toEqual({ plain: 'Hello edge', streamed: 'Hello edge', run: 'unsupported' });
  });
});
