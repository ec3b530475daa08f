import type { Call, Reply, Scope } from '../core/call.ts';
import { invalidOptions } from '../core/errors.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { aFunction, aList, anObject, anything, checkOptions, fraction, listOf, oneOf } from '../core/options.ts';
import { type RedactionCounts, redactionsKey } from '../core/redactions.ts';
import { observed } from '../core/reply.ts';
import { rewriteText } from '../core/rewrite-text.ts';
import { refuseUnreadable, type Unreadable } from '../core/unreadable.ts';
import type { OperationName } from '../operations/index.ts';
import type { TextSlot } from '../operations/traits.ts';
import { traitsOf } from '../operations/traits-table.ts';
import {
  createRedactor,
  createRestorer,
  createVault,
  type Finding,
  type RedactionOptions,
  type Redactor,
} from '../redaction/index.ts';
import { type Recognise, recognised, withDetectors } from './redact/recognised.ts';
import { type RedactVaultOptions, storedVault, type StoredVault } from './redact/stored-vault.ts';

/** What happens to personal data or secrets that the model itself produces. */
export interface RedactOutputOptions extends Pick<RedactionOptions, 'detectors' | 'entities' | 'scoreMin' | 'allow'> {
  /** `flag` only tells (event and counts), `mask` puts the entity's name in its place, `block` ends the answer. */
  readonly action: 'flag' | 'mask' | 'block';
}

export interface RedactOptions extends Omit<RedactionOptions, 'vault' | 'partition'> {
  /**
   * Over what equal values get equal placeholders: wider keeps caches and prompt caches working, narrower keeps
   * conversations from being linked. `call` cannot stand beside a cache.
   *
   * @defaultValue 'tenant'
   */
  readonly linkable?: 'call' | 'session' | 'tenant';
  /** Other rules for some scopes; what it leaves out stays as above. */
  readonly policy?: (
    scope: Scope,
  ) => Partial<Pick<RedactOptions, 'action' | 'actions' | 'entities' | 'allow' | 'scoreMin' | 'detectors'>> | undefined;
  /** Finds what patterns cannot, like names: a list of findings for each text. May ask a model. A failure fails the call. */
  readonly recognise?: Recognise;
  /** What to do about data the model produces. @defaultValue nothing */
  readonly output?: RedactOutputOptions;
  /** Kinds of text that are left as they are, like `['tool-definition']`. @defaultValue [] */
  readonly skip?: readonly TextSlot['kind'][];
  /**
   * What is refused because it cannot be looked into: `raw`, bodies of calls that pass a door as they come (files,
   * batches); `media`, images, audio, video and files that are not text.
   *
   * @defaultValue ['raw']
   */
  readonly refuse?: readonly Unreadable[];
  /**
   * Remembers values over the requests of one session, for answers that speak of what an earlier request held and this
   * one does not. Needs a `key`, and calls with a `session` in their scope.
   *
   * @defaultValue none: an answer is restored from its own request
   */
  readonly vault?: RedactVaultOptions;
}

export type { RedactVaultOptions, Unreadable };

const KEY_BYTES = 32;

/**
 * Takes personal data and secrets out of requests before a model, a cache, a log or a trace sees them, and puts them
 * back into the answer, also while it streams. Fails closed: what cannot be checked is not sent.
 *
 * Place it outside `cache` and every other store of answers.
 *
 * @throws GatewayError `guardrail-blocked` for an entity whose action is `block`.
 * @example
 * createGateway({ providers, use: standard({ redact: redact({ actions: { secrets: 'block' } }) }) })
 */
export function redact(options: RedactOptions = {}): Middleware {
  checkOptions('redact', options, {
    linkable: oneOf('call', 'session', 'tenant'),
    policy: aFunction,
    recognise: aFunction,
    output: anObject,
    skip: aList,
    refuse: listOf('raw', 'media'),
    vault: anObject,
    detectors: aList,
    entities: aList,
    allow: aList,
    scoreMin: fraction,
    action: oneOf('replace', 'mask', 'hash', 'pseudonym', 'drop', 'block'),
    actions: anObject,
    key: anything,
  });
  const { linkable = 'tenant', policy, recognise, output, skip = [], refuse = ['raw'], vault, ...rules } = options;
  const key = options.key ?? crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  if (output !== undefined) checkOutput(output);
  // Compiled once, so that bad rules are found at creation and not at the first call.
  createRedactor({ ...rules, key });
  const skipped = new Set(skip);
  const refused = new Set(refuse);
  const stored = vaultOf(vault, options.key);

  return defineMiddleware(
    {
      name: 'redact',
      content: { masks: true, rewrites: true },
      start: (host) => checkNeighbours(host, linkable),
      explain: () => ({ summary: `takes personal data and secrets out, linkable by ${linkable}` }),
    },
    async function redact(call, next) {
      refuseUnreadable(call, refused, 'redact');
      const extra = recognise === undefined ? [] : await recognised(call, recognise, skipped);
      const own = { ...rules, ...policy?.(call.scope), key, partition: partitionOf(call, linkable) };
      // Filled before anything is looked for: what was replaced in an earlier request is known from the start.
      const earlier = stored === undefined ? undefined : createVault();
      const keep = earlier === undefined ? undefined : await stored?.open(call, earlier);
      const redactor = createRedactor({
        ...(extra.length === 0 ? own : withDetectors(own, extra)),
        ...(earlier !== undefined && { vault: earlier }),
      });
      const counts: Record<string, number> = {};
      const request = traitsOf(call.operation).mapRequestText(call.request, (text, slot) => {
        if (skipped.has(slot.kind)) return text;
        const found = redactor.text(text);
        count(counts, found.findings);
        return found.text;
      });
      keep?.();
      publish(call, 'request', counts);
      call.context.content = { request };
      const came = await next(request === call.request ? call : { ...call, request });
      // The masked view: what logs and ledgers may see of the answer, from before it is restored.
      const reply = observed(came, call.operation, ({ response }) => {
        if (response !== undefined) call.context.content = { request, response };
      });
      return restored(output === undefined ? reply : checked(call, reply, output), redactor);
    },
  );
}

function vaultOf(vault: RedactVaultOptions | undefined, key: RedactOptions['key']): StoredVault | undefined {
  if (vault === undefined) return undefined;
  if (key === undefined)
    throw invalidOptions('redact.vault', 'needs a key: with a random one no later process could read it.');
  return storedVault(vault, key);
}

function checkOutput(output: RedactOutputOptions): void {
  checkOptions('redact.output', output, {
    action: oneOf('flag', 'mask', 'block'),
    detectors: aList,
    entities: aList,
    scoreMin: fraction,
    allow: aList,
  });
  if (output.action === undefined) throw invalidOptions('redact.output.action', 'expected flag, mask or block.');
}

function checkNeighbours(host: Host, linkable: string): void {
  const store = host.middleware.find((info) => info.content?.stores === true);
  if (linkable === 'call' && store !== undefined) {
    throw invalidOptions(
      'redact.linkable',
      `'call' makes every request differ, so ${store.name} would never hit; use 'session' or 'tenant', or take ${store.name} out.`,
    );
  }
}

/** Equal values get equal placeholders within a partition, and only there. */
function partitionOf(call: Call, linkable: 'call' | 'session' | 'tenant'): string {
  const { tenant = '', user = '', session = '' } = call.scope;
  if (linkable === 'call') return `call\u0000${call.id}`;
  if (linkable === 'tenant') return `tenant\u0000${tenant}`;
  return `session\u0000${tenant}\u0000${user}\u0000${session}`;
}

/** Masks, flags or blocks what the model produced. The caller's own values are placeholders here, so they pass. */
function checked<K extends OperationName>(call: Call<K>, reply: Reply<K>, output: RedactOutputOptions): Reply<K> {
  const { action, ...rules } = output;
  const counts: Record<string, number> = {};
  const redactor = createRedactor({ ...rules, action: action === 'block' ? 'block' : 'mask' });
  return rewriteText(reply, () => {
    const stream = redactor.stream();
    const told = (): void => {
      count(counts, stream.findings);
      publish(call, 'response', counts);
    };
    return {
      push(text) {
        const safe = stream.push(text);
        return action === 'flag' ? text : safe;
      },
      end() {
        const rest = stream.end();
        if (stream.findings.length > 0) told();
        return action === 'flag' ? '' : rest;
      },
    };
  });
}

function restored<K extends OperationName>(reply: Reply<K>, { vault }: Redactor): Reply<K> {
  if (vault.size === 0) return reply;
  return rewriteText(reply, ({ form }) => createRestorer(vault, { escape: form === 'json' ? 'json' : 'plain' }));
}

function count(counts: Record<string, number>, findings: readonly Finding[]): void {
  for (const { entity } of findings) counts[entity] = (counts[entity] ?? 0) + 1;
}

function publish(call: Call, direction: 'request' | 'response', counts: RedactionCounts): void {
  if (Object.keys(counts).length === 0) return;
  const { context } = call;
  const before = context.get(redactionsKey);
  const sum: Record<string, number> = { ...before };
  for (const [entity, times] of Object.entries(counts)) sum[entity] = (sum[entity] ?? 0) + times;
  context.set(redactionsKey, sum);
  context.emit('redaction', { callId: call.id, direction, entities: counts });
}
