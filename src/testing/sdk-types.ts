/*
 * The vendors' client types, for a kit that works with either SDK, with both, and with none. An optional peer that is not installed
 * must not break the types of who has not asked for it, hence the pragmas, written so that they stay in the published declarations.
 */

/** @ts-ignore `OpenAI` of the package `openai`, where it is installed. */
export type OpenAI = import('openai').OpenAI;

/** @ts-ignore `Anthropic` of the package `@anthropic-ai/sdk`, where it is installed. */
export type Anthropic = import('@anthropic-ai/sdk').Anthropic;
