import { readFile } from 'node:fs/promises';

export interface RealmExport {
  readonly realm: string;
  readonly json: string;
}

export async function readRealmExport(
  path: string,
  environment: Readonly<Record<string, string>>,
): Promise<RealmExport> {
  const json = await readFile(path, 'utf8');
  const missing = unfilledPlaceholders(json, environment);
  if (missing.length > 0) {
    throw new Error(`The realm file ${path} needs values in options.environment for: ${missing.join(', ')}`);
  }
  return { realm: realmName(json, path), json };
}

/** Without a value, Keycloak would import a placeholder as the text `${NAME}`. */
export function unfilledPlaceholders(json: string, environment: Readonly<Record<string, string>>): string[] {
  const names = [...json.matchAll(/\$\{([A-Z][A-Z0-9_]*)\}/g)].map((match) => match[1] ?? '');
  return [...new Set(names)].filter((name) => environment[name] === undefined);
}

export const realmNameIn = async (path: string): Promise<string> => realmName(await readFile(path, 'utf8'), path);

function realmName(json: string, path: string): string {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed === 'object' && parsed !== null && 'realm' in parsed && typeof parsed.realm === 'string') {
    return parsed.realm;
  }
  throw new Error(`${path} is not a realm export: it has no "realm" at its top level`);
}
