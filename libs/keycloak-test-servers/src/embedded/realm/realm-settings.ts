/** The settings of a realm that the server goes by, as a realm export and the admin REST API name them. */

export interface RealmSettings {
  /** Seconds, where nothing else is said. */
  accessTokenLifespan: number;
  accessCodeLifespan: number;
  ssoSessionIdleTimeout: number;
  ssoSessionMaxLifespan: number;
  revokeRefreshToken: boolean;
  editUsernameAllowed: boolean;
  bruteForceProtected: boolean;
  /** So many failures in a row, no two of them further apart than `maxDeltaTimeSeconds` … */
  failureFactor: number;
  /** … and a user waits so many seconds, twice as many after twice as many failures … */
  waitIncrementSeconds: number;
  /** … and never more than these. */
  maxFailureWaitSeconds: number;
  maxDeltaTimeSeconds: number;
  /** Two failures that are closer to each other than this cost `minimumQuickLoginWaitSeconds`. */
  quickLoginCheckMilliSeconds: number;
  minimumQuickLoginWaitSeconds: number;
}

/** What Keycloak takes where nothing is said. */
const DEFAULTS: RealmSettings = {
  accessTokenLifespan: 300,
  accessCodeLifespan: 60,
  ssoSessionIdleTimeout: 1800,
  ssoSessionMaxLifespan: 36_000,
  revokeRefreshToken: false,
  editUsernameAllowed: false,
  bruteForceProtected: false,
  failureFactor: 30,
  waitIncrementSeconds: 60,
  maxFailureWaitSeconds: 900,
  maxDeltaTimeSeconds: 43_200,
  quickLoginCheckMilliSeconds: 1000,
  minimumQuickLoginWaitSeconds: 60,
};

export const toSettings = (realm: Readonly<Record<string, unknown>>): RealmSettings => ({
  ...DEFAULTS,
  ...pickSettings(realm),
});

/** Those that are there. What a placeholder has filled is text: as Keycloak does, it is read as what it must be. */
export function pickSettings(realm: Readonly<Record<string, unknown>>): Partial<RealmSettings> {
  const given = Object.entries(DEFAULTS).filter(([name]) => realm[name] !== undefined && realm[name] !== null);
  return Object.fromEntries(given.map(([name, like]) => [name, valueLike(like, realm[name], name)]));
}

export const isSetting = (name: string): boolean => Object.hasOwn(DEFAULTS, name);

function valueLike(like: number | boolean, value: unknown, name: string): number | boolean {
  const text = String(value);
  if (typeof like === 'number' && /^\d+$/.test(text)) return Number(text);
  if (typeof like === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  throw new Error(`The realm's ${name} is no ${typeof like}: ${text}`);
}
