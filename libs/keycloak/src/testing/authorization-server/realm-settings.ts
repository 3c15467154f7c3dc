/** The settings of a realm that the server goes by, as a realm export and the admin REST API name them. */

export interface RealmSettings {
  /** Seconds, all of them. */
  accessTokenLifespan: number;
  accessCodeLifespan: number;
  ssoSessionIdleTimeout: number;
  ssoSessionMaxLifespan: number;
  revokeRefreshToken: boolean;
  editUsernameAllowed: boolean;
}

/** What Keycloak takes where nothing is said. */
const DEFAULTS: RealmSettings = {
  accessTokenLifespan: 300,
  accessCodeLifespan: 60,
  ssoSessionIdleTimeout: 1800,
  ssoSessionMaxLifespan: 36_000,
  revokeRefreshToken: false,
  editUsernameAllowed: false,
};

export const toSettings = (realm: Readonly<Record<string, unknown>>): RealmSettings => ({
  ...DEFAULTS,
  ...pickSettings(realm),
});

/** Those that are there, and of the right type. */
export function pickSettings(realm: Readonly<Record<string, unknown>>): Partial<RealmSettings> {
  const known = Object.entries(DEFAULTS).filter(([name, value]) => typeof realm[name] === typeof value);
  return Object.fromEntries(known.map(([name]) => [name, realm[name]]));
}

export const isSetting = (name: string): boolean => Object.hasOwn(DEFAULTS, name);
