import { br, ca, mx } from './americas.ts';
import { india, ph, sg, th, tr } from './asia.ts';
import { de } from './de.ts';
import { be, ch, dk, fi, ie, nl, no, pl, se } from './europe-north.ts';
import { es, fr, hr, it, pt, ro } from './europe-south.ts';
import { general } from './general.ts';
import { global } from './global.ts';
import { kr } from './korea.ts';
import { au, ng, nz, za } from './pacific-and-africa.ts';
import { secrets } from './secrets.ts';
import { uk } from './uk.ts';
import { us } from './us.ts';
import type { Detector, Pack } from '../types.ts';

/** Every pack by name. Importing this bundles them all; import packs one by one to keep a bundle small. */
export const packs = {
  global,
  general,
  secrets,
  us,
  uk,
  de,
  es,
  fr,
  hr,
  it,
  pt,
  ro,
  be,
  ch,
  dk,
  fi,
  ie,
  nl,
  no,
  pl,
  se,
  in: india,
  kr,
  ph,
  sg,
  th,
  tr,
  au,
  nz,
  ng,
  za,
  br,
  ca,
  mx,
} as const satisfies Record<string, Pack>;

/** All of them in one list. */
export const everyDetector: readonly Detector[] = Object.values(packs).flat();
