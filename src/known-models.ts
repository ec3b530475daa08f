import type { ModelsConfiguration } from './core/registry.ts';
import type { StandardSchema } from './operations/schema.ts';

/** Whether nothing is known: a configuration that was loaded, or typed as a plain record. */
type Open<M> = string extends keyof M ? true : false;

/** What a request may name: aliases, and any model of a provider that is there. */
export type ModelName<M = ModelsConfiguration, P extends string = string> =
  Open<M> extends true ? string : (keyof M & string) | `${P}/${string}`;

/** The same for editors to complete. Any text passes here; {@link Checked} refuses a literal that names nothing. */
export type ModelHint<M, P extends string> =
  Open<M> extends true ? string : (keyof M & string) | `${P}/${string}` | (string & {});

/**
 * What a request must be beside what it is: anything, or a type it does not have, whose text says why. A name that is
 * only known at run time passes.
 */
export type Checked<R, M, P extends string> =
  Open<M> extends true ? unknown : string extends NameIn<R> ? unknown : CheckedName<R, M, P, NameIn<R>>;

/** What no value has, so that the compiler shows what is wrong. An object: two texts would make the request `never`. */
interface Refused<Why> {
  readonly why: Why;
}

type NameIn<R> = R extends { readonly model?: infer Name }
  ? unknown extends Name
    ? 'default'
    : Exclude<Name, undefined>
  : 'default';

type CheckedName<R, M, P extends string, Name> = [Name] extends [ModelName<M, P>]
  ? Name extends keyof M & string
    ? Declared<M, Name, 'output', OutputNeed<R>> & Declared<M, Name, 'tools', ToolsNeed<R>>
    : unknown
  : { readonly model: Refused<['expected one of', ModelName<M, P>]> };

type Declared<M, Name extends keyof M & string, Field extends string, Need extends string> = [Need] extends [never]
  ? unknown
  : [Able<M, M[Name], Need>] extends [false]
    ? { readonly [F in Field]: Refused<`no target of ${Name} declares the capability ${Need}`> }
    : unknown;

/** Whether one target below a node may do it. Those that declare nothing may. An alias is followed once. */
type Able<M, Node, Need extends string> = Node extends string
  ? Node extends keyof M
    ? Able<Omit<M, Node>, M[Node], Need>
    : true
  : Node extends readonly (infer Item)[]
    ? Able<M, Item, Need>
    : Node extends { readonly target: infer Target }
      ? Target extends keyof M
        ? Able<Omit<M, Target>, M[Target], Need>
        : Node extends { readonly capabilities: readonly (infer Capability)[] }
          ? [Need] extends [Capability]
            ? true
            : false
          : true
      : Node extends { readonly targets: readonly (infer Item)[] }
        ? Able<M, Item, Need>
        : true;

/** The capability an output format takes; `never` for none, and where the format is not known before it runs. */
type OutputNeed<R> = R extends { readonly output: infer F }
  ? [F] extends ['json' | { readonly type: 'json' }]
    ? 'json'
    : [F] extends [{ readonly type: 'schema'; readonly via: 'prompt' }]
      ? never
      : [F] extends [StandardSchema | { readonly type: 'schema' | 'object' | 'array' }]
        ? 'schema'
        : never
  : never;

/** The same for tools: of a list whose members are known, or are all of one kind. */
type ToolsNeed<R> = R extends { readonly tools: readonly (infer T)[] }
  ? number extends R['tools']['length']
    ? OneKind<ToolNeed<T>>
    : ToolNeed<T>
  : never;
type ToolNeed<T> = T extends { readonly type: 'hosted' | 'mcp' } ? 'hosted-tools' : 'tools';
type OneKind<Need extends string> = 'tools' | 'hosted-tools' extends Need ? never : Need;
