import { readRealmExport } from '../../realm-export.js';
import { Realm } from './realm.js';

export async function readRealm(path: string, environment: Readonly<Record<string, string>>): Promise<Realm> {
  const { realm, json } = await readRealmExport(path, environment);
  const filled: unknown = JSON.parse(json, (_name, value: unknown) =>
    typeof value === 'string' ? fillPlaceholders(value, environment) : value,
  );
  return new Realm(realm, filled);
}

/** A lowercase name is a message key of Keycloak and is not replaced. */
export function fillPlaceholders(value: string, environment: Readonly<Record<string, string>>): string {
  return value.replace(
    /\$\{([A-Z][A-Z0-9_]*)(?::([^}]*))?\}/g,
    (all, name: string, otherwise: string | undefined) => environment[name] ?? otherwise ?? all,
  );
}
