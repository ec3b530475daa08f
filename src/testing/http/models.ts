import { send, type WirePlan } from '../wire/plan.ts';

const CREATED = 1_767_225_600;
const PAGE = 20;

/** The list of models, in the shape of the vendor whose SDK asks; one model if the path names it. */
export function modelsPlan(
  models: readonly string[],
  path: string,
  query: URLSearchParams,
  headers: Readonly<Record<string, string>>,
): WirePlan {
  const anthropic = headers['anthropic-version'] !== undefined;
  const show = anthropic ? anthropicModel : openaiModel;
  const id = decodeURIComponent(path.replace(/^\/models\/?/, ''));
  if (id !== '') {
    if (!models.includes(id)) return json(404, anthropic ? anthropicMissing(id) : openaiMissing(id));
    return json(200, show(id));
  }
  return json(200, anthropic ? anthropicPage(models, query) : { object: 'list', data: models.map(openaiModel) });
}

/** Anthropic lists by pages. Source: its API reference, read 2026-11. */
function anthropicPage(models: readonly string[], query: URLSearchParams): object {
  const limit = Number(query.get('limit') ?? PAGE);
  const before = query.get('before_id');
  const after = query.get('after_id');
  const end = before === null ? models.length : models.indexOf(before);
  const start = after === null ? (before === null ? 0 : Math.max(0, end - limit)) : models.indexOf(after) + 1;
  const page = models.slice(start, Math.min(end, start + limit));
  const more = before === null ? start + page.length < models.length : start > 0;
  return {
    data: page.map(anthropicModel),
    has_more: more,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  };
}

function openaiModel(id: string): object {
  return { id, object: 'model', created: CREATED, owned_by: 'postern' };
}
function anthropicModel(id: string): object {
  return { type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' };
}
function openaiMissing(id: string): object {
  const message = `The model '${id}' does not exist`;
  return { error: { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' } };
}
function anthropicMissing(id: string): object {
  return { type: 'error', error: { type: 'not_found_error', message: `model: ${id}` } };
}

export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): WirePlan {
  const all = { 'content-type': 'application/json', ...headers };
  return { before: [], status, headers: all, body: [send(JSON.stringify(body))] };
}
