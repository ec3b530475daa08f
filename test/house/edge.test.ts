import { resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** One program as an edge runtime would get it: everything in one file, no SDK, no node: module. */
async function bundle(): Promise<string> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `
        import { createGateway } from './src/index.ts';
        import { openai } from './src/providers/openai/index.ts';
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
        };`,
      resolveDir: ROOT,
    },
    bundle: true,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    alias: { '#platform': resolve(ROOT, 'src/platform/web.ts') },
    external: ['openai', '@anthropic-ai/sdk'],
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map((one) => one.path));
  expect(imports.filter((path) => path.startsWith('node:'))).toEqual([]);
  return outputFiles[0]?.text ?? '';
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
