/**
 * The tour: real openai and anthropic clients, real HTTP, no key, no network.
 *
 *   npm start                                   against a local server that plays a script
 *   POSTERN_RECORDINGS=DIR npm start            against recorded traffic of real providers
 *   npm start -- --live                         against the real thing, with OPENAI_API_KEY or ANTHROPIC_API_KEY
 */
import { live } from './quickstart/live.ts';
import { recordings } from './quickstart/recordings.ts';
import { tour } from './quickstart/tour.ts';

const folder = process.env['POSTERN_RECORDINGS'];
if (process.argv.includes('--live')) await live();
else if (folder !== undefined) await recordings(folder);
else await tour();
