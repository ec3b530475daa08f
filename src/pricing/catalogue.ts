import type { TokenClass, UnitClass } from '../operations/shared.ts';

/** A non-negative decimal number as text, like `0.075`: at most nine digits before the point and eighteen after. */
export type Decimal = string;

/**
 * US dollars per million tokens. With `above`, all tokens of the class cost the price of the highest step whose
 * `inputTokens` the line's whole input (cache reads and writes included) exceeds.
 */
export type TokenRate =
  | Decimal
  | { readonly base: Decimal; readonly above: readonly { readonly inputTokens: number; readonly price: Decimal }[] };

/** US dollars per `per` units; text alone means per one unit. */
export type UnitRate = Decimal | { readonly price: Decimal; readonly per: number };

/** Prices that hold at some times. The last span of a model that holds at the asked time counts. */
export interface PriceSpan {
  /** ISO-8601 date or time from which it holds. Left out: always. */
  readonly effectiveFrom?: string;
  /** UTC hours of every day, `HH:MM`, in which it holds; `end` is excluded and may lie before `start`. */
  readonly daily?: { readonly start: string; readonly end: string };
  readonly tokens: Readonly<Partial<Record<TokenClass, TokenRate>>>;
  readonly units?: Readonly<Partial<Record<UnitClass, UnitRate>>>;
  /** Service tier (`batch`, `flex`, `priority`) → what token prices are multiplied by. Units keep their price. */
  readonly multipliers?: Readonly<Record<string, Decimal>>;
}

export interface ModelLimits {
  /** Tokens of input and output together. */
  readonly context?: number;
  /** Tokens of one answer. */
  readonly output?: number;
}

/** What a model can take and give, as far as the data knows. */
export interface ModelCapabilities {
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
}

export interface ModelEntry {
  /** Other full names of the same model. */
  readonly aliases?: readonly string[];
  /** Names that may be followed by a date, a revision, `latest` or `preview`; never by another generation. */
  readonly families?: readonly string[];
  /** Like `families`, and may also follow a path such as `us.anthropic.` or `publishers/google/`. */
  readonly tails?: readonly string[];
  readonly limits?: ModelLimits;
  readonly capabilities?: ModelCapabilities;
  readonly deprecated?: boolean;
  readonly prices: readonly PriceSpan[];
}

export interface ProviderEntry {
  readonly name?: string;
  /** Other names by which a target may call this provider. */
  readonly aliases?: readonly string[];
  /** Providers asked next about a model this one does not list. */
  readonly fallbacks?: readonly string[];
  /** Multipliers of every model that names none of its own. */
  readonly multipliers?: Readonly<Record<string, Decimal>>;
  /** Unit prices of every model that names none of its own. */
  readonly units?: Readonly<Partial<Record<UnitClass, UnitRate>>>;
  readonly models: Readonly<Record<string, ModelEntry>>;
}

/** A price list as plain JSON. */
export interface PriceCatalogue {
  readonly format: 'postern-prices-1';
  readonly currency: 'USD';
  readonly source: {
    readonly name: string;
    readonly version?: string;
    readonly licence?: string;
    /** ISO-8601 date on which the list was taken. */
    readonly date: string;
  };
  readonly providers: Readonly<Record<string, ProviderEntry>>;
}
