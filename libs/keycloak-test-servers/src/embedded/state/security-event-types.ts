/** The types of security events, which Keycloak's attributes and statistics call by an alias. */

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

/** What a stream may be sent of users. The other two are about the stream itself. */
export const SUPPORTED_TYPES: readonly string[] = [CREDENTIAL_CHANGE, SESSION_REVOKED];

/** An unknown type is its own alias. */
export const aliasOf = (type: string): string => ALIASES[type] ?? type;

/** The type of an alias. Anything else is a type already. */
export const typeOf = (alias: string): string => Object.keys(ALIASES).find((type) => ALIASES[type] === alias) ?? alias;

/** Of the types that a receiver asks for, in its own words. */
export const deliveredOf = (requested: readonly string[]): readonly string[] =>
  requested.filter((name) => SUPPORTED_TYPES.includes(typeOf(name)));
