/** Where the SDKs of OpenAI and Anthropic tell of their timeout, in whole seconds. */
export const TIMEOUT_HEADER = 'x-stainless-timeout';
/** The longest a timer can run: how a wrapped client's own clock is put out of the way, in milliseconds. */
export const RAISED_TIMEOUT_MS = 2 ** 31 - 1;
/** How the SDKs tell of it in {@link TIMEOUT_HEADER}. */
export const RAISED_TIMEOUT_SECONDS = String(Math.trunc(RAISED_TIMEOUT_MS / 1000));
