export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
export const CREDENTIAL_CHANGE = 'https://schemas.openid.net/secevent/caep/event-type/credential-change';
export const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
export const STREAM_UPDATED = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';

const ALIASES: Readonly<Record<string, string>> = {
  [SESSION_REVOKED]: 'CaepSessionRevoked',
  [CREDENTIAL_CHANGE]: 'CaepCredentialChange',
  [VERIFICATION]: 'SsfStreamVerificationEvent',
  [STREAM_UPDATED]: 'SsfStreamUpdatedEvent',
};

export const SUPPORTED_TYPES: readonly string[] = [CREDENTIAL_CHANGE, SESSION_REVOKED];

export const aliasOf = (type: string): string => ALIASES[type] ?? type;

export const typeOf = (alias: string): string => Object.keys(ALIASES).find((type) => ALIASES[type] === alias) ?? alias;

export const deliveredOf = (requested: readonly string[]): readonly string[] =>
  requested.filter((name) => SUPPORTED_TYPES.includes(typeOf(name)));
