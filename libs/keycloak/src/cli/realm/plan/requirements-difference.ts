import { isDeepStrictEqual } from 'node:util';
import { nameOfRole, type Role } from '../../policy/holders.js';
import type { RealmRequirements } from '../realm-requirements.js';

export function differenceOf(before: RealmRequirements, after: RealmRequirements): string[] {
  const [old, current] = [itemsOf(before), itemsOf(after)];
  const lines = [...new Set([...old.keys(), ...current.keys()])].toSorted().flatMap((name) => {
    const [one, other] = [old.get(name), current.get(name)];
    if (one === undefined) return [`+ ${name}: ${membersOf(other ?? {})}`];
    if (other === undefined) return [`- ${name}: ${membersOf(one)}`];
    return changesOf(name, one, other);
  });
  if (lines.length > 0 || isDeepStrictEqual(before, after)) return lines;
  return ['~ the order or the members of the file'];
}

type Item = Readonly<Record<string, unknown>>;

function itemsOf({ clients, otherClients, permissions, levels }: RealmRequirements): ReadonlyMap<string, Item> {
  return new Map<string, Item>([
    ...clients.map(({ clientId, ...client }) => [`client ${clientId}`, client] as const),
    ...otherClients.map((clientId) => [`other client ${clientId}`, {}] as const),
    ...permissions.map(({ name, ...permission }) => [`permission ${name}`, permission] as const),
    ...levels.map(({ acr, services }) => [`acr ${acr.join(' or ')}`, { services }] as const),
  ]);
}

function changesOf(name: string, one: Item, other: Item): string[] {
  const members = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return members
    .filter((member) => !isDeepStrictEqual(one[member], other[member]))
    .map((member) => `~ ${name}: ${member}: ${written(one[member])} → ${written(other[member])}`);
}

const membersOf = (item: Item): string =>
  Object.entries(item)
    .map(([member, value]) => `${member} ${written(value)}`)
    .join(', ') || 'named';

function isRole(given: unknown): given is Role {
  if (typeof given === 'string') return true;
  const { client, role } = Object(given) as Item;
  return typeof client === 'string' && typeof role === 'string';
}

function written(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (!Array.isArray(value)) return String(value);
  return value.length === 0
    ? 'none'
    : `[${value.map((each) => (isRole(each) ? nameOfRole(each) : JSON.stringify(each))).join(', ')}]`;
}
