import { readRealmExport } from '../../realm-export.js';
import { Realm } from './realm.js';

export interface RealmFile {
  readonly realm: Realm;
  readonly json: unknown;
}

export async function readRealm(path: string, environment: Readonly<Record<string, string>>): Promise<RealmFile> {
  const { realm, json: text } = await readRealmExport(path, environment);
  const json: unknown = JSON.parse(text, (_name, value: unknown) =>
    typeof value === 'string' ? fillPlaceholders(value, environment) : value,
  );
  return { realm: new Realm(realm, json), json };
}

/** A placeholder with a lowercase name is a message key of Keycloak and stays unchanged. */
export function fillPlaceholders(value: string, environment: Readonly<Record<string, string>>): string {
  return value.replace(
    /\$\{([A-Z][A-Z0-9_]*)(?::([^}]*))?\}/g,
    (all, name: string, otherwise: string | undefined) => environment[name] ?? otherwise ?? all,
  );
}
