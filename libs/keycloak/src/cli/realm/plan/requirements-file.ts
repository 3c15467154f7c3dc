import { readJson } from '../../read-json.js';
import { UsageError } from '../../usage-error.js';
import {
  VERSION,
  type RealmRequirements,
  type RequiredClient,
  type RequiredLevel,
  type RequiredPermission,
} from '../realm-requirements.js';

export const requirementsText = (requirements: RealmRequirements): string =>
  `${JSON.stringify(requirements, undefined, 2)}\n`;

const isText = (value: unknown): boolean => typeof value === 'string';

const hasNames = ({ clients, otherClients, permissions, levels }: RealmRequirements): boolean =>
  [
    ...otherClients,
    ...clients.map((client: Partial<RequiredClient> | null) => client?.clientId),
    ...permissions.map((permission: Partial<RequiredPermission> | null) => permission?.name),
  ].every(isText) &&
  levels.every((level: Partial<RequiredLevel> | null) => Array.isArray(level?.acr) && level.acr.every(isText));

export function readRequirements(path: string): RealmRequirements {
  const json = readJson(path);
  const { version, clients, otherClients, permissions, levels } = Object(json) as Partial<RealmRequirements>;
  const lists: readonly unknown[] = [clients, otherClients, permissions, levels];
  if (version !== VERSION || !lists.every(Array.isArray) || !hasNames(json as RealmRequirements)) {
    throw new UsageError(
      `${path} is not a file of realm requirements of version ${VERSION}. Write it again with --out ${path}`,
    );
  }
  return json as RealmRequirements;
}
