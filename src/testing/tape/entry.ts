import { readFile } from 'node:fs/promises';
import { invalidOptions } from '../../core/errors.ts';
import { parseJson, recordOf } from '../../core/wire-json.ts';

export const VERSION = 1;

/** One exchange as a recording keeps it: one line of JSON. Holds no credential. */
export interface TapeEntry {
  /** When it was recorded, ISO-8601. */
  readonly at: string;
  readonly method: string;
  /** Path and query, without the host. */
  readonly path: string;
  /** The JSON body, scrubbed. */
  readonly request: unknown;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** How the pieces are written. Absent: as text. */
  readonly encoding?: 'base64';
  /**
   * What came and when, in milliseconds after the headers: whole events of a stream, the whole
   * body, or the pieces of a binary one.
   */
  readonly chunks: readonly (readonly [ms: number, text: string])[];
}

/** First line of a recording, so that a later version can read it, or refuse it. */
export function headLine(): string {
  return `${JSON.stringify({ postern: 'recording', version: VERSION })}\n`;
}

export function entryLine(entry: TapeEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** The entries of a file; none if there is no file. @throws GatewayError `invalid-options` if it is something else. */
export async function readTape(file: string): Promise<readonly TapeEntry[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (Reflect.get(error as object, 'code') === 'ENOENT') return [];
    throw error;
  }
  const [head, ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  if (head === undefined) return [];
  const facts = recordOf(parseJson(head));
  if (facts?.['postern'] !== 'recording') throw invalidOptions('file', `${file} is no recording.`);
  if (facts['version'] !== VERSION) {
    throw invalidOptions('file', `${file} has version ${String(facts['version'])}; this package reads ${VERSION}.`);
  }
  return lines.map((line, index) => {
    const entry = parseJson(line);
    if (recordOf(entry) === undefined) throw invalidOptions('file', `${file}: line ${index + 2} is no JSON object.`);
    return entry as unknown as TapeEntry;
  });
}
