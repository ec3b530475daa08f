/** One suite, two sizes: small for every push, full for the sizes the issues name. */
export const full = process.env['POSTERN_TEST_SIZE'] === 'full';
export const size = <T>(small: T, big: T): T => (full ? big : small);
