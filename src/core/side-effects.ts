import type { ChatRequest } from '../operations/chat.ts';
import type { Call } from './call.ts';

/**
 * Whether the provider may do something in the world while it answers: it runs tools of its own. Such an attempt is
 * never made twice at once, nor again when nobody knows how far it came.
 */
export function hasServerEffects(call: Call): boolean {
  if (call.operation === 'raw') return true;
  const { tools } = call.request as Partial<ChatRequest>;
  return tools !== undefined && tools.some((tool) => tool.type === 'hosted' || tool.type === 'mcp');
}
