/** Event types: the URIs of those events that are known here (CAEP 1.0, RISC 1.0, SSF 1.0 §8.1). */
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/';

export const SESSION_REVOKED = `${CAEP}session-revoked`;
export const CREDENTIAL_CHANGE = `${CAEP}credential-change`;

/** All sessions of the user; the older name of one without a session. */
const SESSIONS_REVOKED = `${RISC}sessions-revoked`;

export const VERIFICATION = `${SSF}verification`;
export const STREAM_UPDATED = `${SSF}stream-updated`;

/** What the subject had has ended: a session, or all that a user had. */
export const ENDS: ReadonlySet<string> = new Set([
  SESSION_REVOKED,
  SESSIONS_REVOKED,
  `${RISC}account-disabled`,
  `${RISC}account-purged`,
]);

/** Nothing has ended. After a new password Keycloak keeps the sessions, and says session-revoked of each that it ends with it. */
export const HARMLESS: ReadonlySet<string> = new Set([
  CREDENTIAL_CHANGE,
  `${CAEP}session-established`,
  `${CAEP}session-presented`,
  `${RISC}account-enabled`,
]);

/** Tokens may be good no more. */
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
