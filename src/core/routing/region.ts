/** Region lists of which each must allow a target: the scope's, the call's. */
export type RegionLimits = readonly (readonly string[])[];

/** Whether `eu-west-1` lies in `eu`: the same name, or one that goes on after a hyphen. */
export function liesIn(region: string, allowed: string): boolean {
  return region === allowed || region.startsWith(`${allowed}-`);
}

/**
 * Whether data may go to a place. A place that does not say where it is, or that is in several regions of which one is
 * not allowed, is refused: residency is never a guess.
 */
export function regionAllowed(regions: readonly string[] | undefined, limits: RegionLimits): boolean {
  if (limits.length === 0) return true;
  if (regions === undefined || regions.length === 0) return false;
  return limits.every((allowed) => regions.every((region) => allowed.some((one) => liesIn(region, one))));
}

/** The lists in force for a call: what the scope allows and what the call itself allows. */
export function regionLimits(scope: string | undefined, own: readonly string[] | undefined): RegionLimits {
  if (scope === undefined && own === undefined) return NONE;
  return [
    ...(scope === undefined ? [] : [scope.split(',').map((name) => name.trim())]),
    ...(own === undefined ? [] : [own]),
  ];
}
const NONE: RegionLimits = [];
