import { toTexts } from './realm-representation.js';

export interface RealmSettings {
  enabled: boolean;
  /** Only the value `all` makes the server refuse plain HTTP, because the server listens on loopback only. */
  sslRequired: string;
  /** All lifespans and timeouts are in seconds. */
  accessTokenLifespan: number;
  accessCodeLifespan: number;
  ssoSessionIdleTimeout: number;
  ssoSessionMaxLifespan: number;
  revokeRefreshToken: boolean;
  editUsernameAllowed: boolean;
  bruteForceProtected: boolean;
  failureFactor: number;
  /** Every `failureFactor` failures lengthen the wait by this time. */
  waitIncrementSeconds: number;
  maxFailureWaitSeconds: number;
  /** The maximum time between two consecutive failures. */
  maxDeltaTimeSeconds: number;
  /** Two failures within this time cause a wait of `minimumQuickLoginWaitSeconds`. */
  quickLoginCheckMilliSeconds: number;
  minimumQuickLoginWaitSeconds: number;
  permanentLockout: boolean;
  notBefore: number;
  eventsEnabled: boolean;
  /** In seconds; 0 means that events do not expire. */
  eventsExpiration: number;
  enabledEventTypes: readonly string[];
  adminEventsEnabled: boolean;
  adminEventsDetailsEnabled: boolean;
}

const DEFAULTS: RealmSettings = {
  enabled: true,
  sslRequired: 'external',
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
  permanentLockout: false,
  notBefore: 0,
  eventsEnabled: false,
  eventsExpiration: 0,
  enabledEventTypes: [],
  adminEventsEnabled: false,
  adminEventsDetailsEnabled: false,
};

export const toSettings = (realm: Readonly<Record<string, unknown>>): RealmSettings => ({
  ...DEFAULTS,
  ...pickSettings(realm),
});

export function pickSettings(realm: Readonly<Record<string, unknown>>): Partial<RealmSettings> {
  const given = Object.entries<Value>({ ...DEFAULTS }).filter(
    ([name]) => realm[name] !== undefined && realm[name] !== null,
  );
  return Object.fromEntries(given.map(([name, like]) => [name, valueLike(like, realm[name], name)]));
}

export const isSetting = (name: string): boolean => Object.hasOwn(DEFAULTS, name);

type Value = number | boolean | string | readonly string[];

function valueLike(like: Value, value: unknown, name: string): Value {
  if (typeof like === 'object') {
    if (Array.isArray(value)) return toTexts(value);
    throw new Error(`The realm setting ${name} is not a list`);
  }
  const text = String(value);
  if (typeof like === 'string') return text;
  if (typeof like === 'number' && /^\d+$/.test(text)) return Number(text);
  if (typeof like === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  throw new Error(`The realm setting ${name} is not a ${typeof like}: ${text}`);
}
