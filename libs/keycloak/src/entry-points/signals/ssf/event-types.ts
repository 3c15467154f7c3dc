const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/';

export const SESSION_REVOKED = `${CAEP}session-revoked`;
export const CREDENTIAL_CHANGE = `${CAEP}credential-change`;

/** The older name of a session-revoked event for all sessions of a user. */
const SESSIONS_REVOKED = `${RISC}sessions-revoked`;

export const VERIFICATION = `${SSF}verification`;
export const STREAM_UPDATED = `${SSF}stream-updated`;

export const ENDS: ReadonlySet<string> = new Set([
  SESSION_REVOKED,
  SESSIONS_REVOKED,
  `${RISC}account-disabled`,
  `${RISC}account-purged`,
]);

/** If a password change ends sessions, Keycloak also sends session-revoked. */
export const HARMLESS: ReadonlySet<string> = new Set([
  CREDENTIAL_CHANGE,
  `${CAEP}session-established`,
  `${CAEP}session-presented`,
  `${RISC}account-enabled`,
]);

export const UNCERTAIN: ReadonlySet<string> = new Set([
  `${CAEP}token-claims-change`,
  `${CAEP}assurance-level-change`,
  `${CAEP}device-compliance-change`,
  `${CAEP}risk-level-change`,
  `${RISC}account-credential-change-required`,
  `${RISC}credential-compromise`,
  `${RISC}identifier-changed`,
  `${RISC}identifier-recycled`,
]);
