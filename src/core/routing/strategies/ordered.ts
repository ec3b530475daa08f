import type { Strategy } from '../node.ts';

/** The first that can be used, as configured. */
export const ordered: Strategy = {
  name: 'ordered',
  options: {},
  order: (group) => group.members,
};
