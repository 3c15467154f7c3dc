/** Reads a realm export from its file and fills its placeholders. */
import { readFile } from 'node:fs/promises';
import { realmName, unfilledPlaceholders } from '../keycloak-settings.js';
import { Realm } from './realm.js';

export async function readRealm(path: string, environment: Readonly<Record<string, string>>): Promise<Realm> {
  const text = await readFile(path, 'utf8');
  const missing = unfilledPlaceholders(text, environment);
  if (missing.length > 0) {
    throw new Error(`The realm file ${path} needs values in options.environment for: ${missing.join(', ')}`);
  }
  const filled: unknown = JSON.parse(text, (_name, value: unknown) =>
    typeof value === 'string' ? fillPlaceholders(value, environment) : value,
  );
  return new Realm(realmName(text, path), filled);
}

/** `${NAME}` and `${NAME:a default}`. Names in lower case are Keycloak's message keys: they stay. */
export function fillPlaceholders(value: string, environment: Readonly<Record<string, string>>): string {
  return value.replace(
    /\$\{([A-Z][A-Z0-9_]*)(?::([^}]*))?\}/g,
    (all, name: string, otherwise: string | undefined) => environment[name] ?? otherwise ?? all,
  );
}
