import { dateTime, namedDate } from '../detectors/dates.ts';
import { url } from '../detectors/url.ts';
import type { Pack } from '../types.ts';

/** Dates and web addresses. Seldom personal by themselves, and answers suffer without them: not among the defaults. */
export const general: Pack = [dateTime, namedDate, url];
