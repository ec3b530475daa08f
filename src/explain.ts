import type { Call } from './core/call.ts';
import type { GatewayExplanation } from './gateway-types.ts';
import type { Runtime } from './runtime.ts';

/** What would happen to a call, without making it. */
export function explain(runtime: Runtime, call: Call): GatewayExplanation {
  const { plan } = call;
  const middleware = runtime.middleware.map((layer) => {
    const name = layer.info?.name ?? (layer.name || 'a function');
    return { name, ...layer.info?.explain?.(call) };
  });
  const lines = [
    `${call.operation} ${call.request.model}${plan.alias === undefined ? '' : ' (alias)'}, configuration ${plan.revision}`,
    ...plan.candidates.map(({ provider, model }, index) => `  ${index + 1}. ${provider}/${model}`),
    ...plan.losers.map(({ target, reason }) => `  -  ${target}: ${reason}`),
    ...middleware.map(({ name, summary }) => `  ${name}${summary === undefined ? '' : `: ${summary}`}`),
  ];
  return {
    ...(plan.alias !== undefined && { alias: plan.alias }),
    candidates: plan.candidates,
    losers: plan.losers,
    revision: plan.revision,
    middleware,
    toString: () => lines.join('\n'),
  };
}
