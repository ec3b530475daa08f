import { describe, expect, it } from 'vitest';
import { TextResponse } from '../../src/doors/text-response.ts';

const TEXT = '{"a":"ä€😀"}';
const made = () => new TextResponse(TEXT, { status: 201, headers: { 'content-type': 'application/json', 'x-a': 'b' } });

describe('TextResponse', () => {
  it('is a Response with its status and headers', () => {
    const response = made();
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.ok, response.headers.get('x-a')]).toEqual([201, true, 'b']);
  });

  it('gives the same content whichever way it is read', async () => {
    const bytes = new TextEncoder().encode(TEXT);
    expect(await made().text()).toBe(TEXT);
    expect(await made().json()).toEqual(JSON.parse(TEXT));
    expect(new Uint8Array(await made().arrayBuffer())).toEqual(bytes);
    expect(await made().bytes()).toEqual(bytes);
    expect(await (await made().blob()).text()).toBe(TEXT);
    const { body } = made();
    expect(await new Response(body).text()).toBe(TEXT);
  });

  it('is read once, like any Response', async () => {
    for (const first of ['text', 'json', 'arrayBuffer'] as const) {
      for (const second of ['text', 'json', 'arrayBuffer', 'bytes', 'blob'] as const) {
        const response = made();
        expect(response.bodyUsed).toBe(false);
        await response[first]();
        expect(response.bodyUsed).toBe(true);
        await expect(response[second](), `${first} then ${second}`).rejects.toThrow(TypeError);
      }
    }
  });

  it('can be cloned while unread, and only then', async () => {
    const response = made();
    const copy = response.clone();
    expect([await response.text(), await copy.text()]).toEqual([TEXT, TEXT]);
    expect(copy.headers.get('x-a')).toBe('b');
    expect(() => response.clone()).toThrow(TypeError);
  });

  it('reads its form and its broken JSON as any Response does', async () => {
    const form = new TextResponse('a=1', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect((await form.formData()).get('a')).toBe('1');
    await expect(new TextResponse('{"a":', {}).json()).rejects.toThrow(SyntaxError);
    expect(await new TextResponse('\ufeff[1]', {}).json()).toEqual([1]);
  });
});
