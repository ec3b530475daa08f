import { global } from './global.ts';
import { secrets } from './secrets.ts';
import { us } from './us.ts';
import type { Detector } from '../types.ts';

/** What is looked for when nothing else is said: global, United States, secrets. */
export const defaultDetectors: readonly Detector[] = [...global, ...us, ...secrets];
