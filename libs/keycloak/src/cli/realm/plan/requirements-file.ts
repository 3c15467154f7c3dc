import { readJson } from '../../read-json.js';
import { UsageError } from '../../usage-error.js';
import { VERSION, type RealmRequirements } from '../realm-requirements.js';

export const requirementsText = (requirements: RealmRequirements): string =>
  `${JSON.stringify(requirements, undefined, 2)}\n`;

export function readRequirements(path: string): RealmRequirements {
  const json = readJson(path);
  const { version, clients, otherClients, permissions, levels } = Object(json) as Partial<RealmRequirements>;
  const lists: readonly unknown[] = [clients, otherClients, permissions, levels];
  if (version !== VERSION || !lists.every(Array.isArray)) {
    throw new UsageError(
      `${path} is not a file of realm requirements of version ${VERSION}. Write it again with --out ${path}`,
    );
  }
  return json as RealmRequirements;
}
