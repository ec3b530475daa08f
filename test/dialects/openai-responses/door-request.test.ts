import { describe, expect, it } from 'vitest';
import { decodeRequest } from '../../../src/dialects/openai-responses/door-request.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { environment, present, recordings, text, why } from './recordings.ts';

/** Encodes what the door decoded, as for the same protocol. */
function roundTrip(body: any): { body: any; warnings: readonly unknown[] } {
  const { request, facts, stream } = decodeRequest(body);
  const target = { provider: 'openai', model: body.model };
  return openaiResponses.chat!.encodeRequest(request, { ...environment, target, facts, stream });
}

describe.skipIf(!present)(`recorded Responses requests (skipped where ${why})`, () => {
  it('writes every recorded request back as it came, R01', () => {
    let count = 0;
    let normalised = 0;
    for (const row of recordings) {
      if (row.files.request === undefined) continue;
      count++;
      const body = JSON.parse(text(row.files.request));
      const back = roundTrip(body);
      expect(back.body, row.name).toEqual(body);
      expect(back.warnings, row.name).toEqual([]);
    }
    expect([count, normalised]).toEqual([70, 0]);
  });
});
