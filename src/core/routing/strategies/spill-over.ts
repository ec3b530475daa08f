import { wholeNumber } from '../../options.ts';
import { type GroupNode, type RouteNode, type RouteView, type Strategy, sumOf } from '../node.ts';

/** In the configured order, but past those that are full: reserved capacity first, on-demand for what is above it. */
export const spillOver: Strategy = {
  name: 'spill-over',
  options: { inFlightMax: wholeNumber(1) },
  settings: ({ inFlightMax }) => (inFlightMax as number | undefined) ?? 10,
  order(group, _call, view) {
    const last = group.members.at(-1);
    const room = group.members.filter((member) => member === last || hasRoom(group, member, view));
    if (room.length === group.members.length) return group.members;
    return [...room, ...group.members.filter((member) => !room.includes(member))];
  },
};

function hasRoom({ settings }: GroupNode, member: RouteNode, { load }: RouteView): boolean {
  return sumOf(member, ({ candidate }) => load(candidate.id)) < (settings as number) * member.weight;
}
