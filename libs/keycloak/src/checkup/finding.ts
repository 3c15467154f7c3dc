/** Finding: one line of a checkup: what was looked at, how it is, and what to do about it. */

import type { InWhoseName } from '../client/declared-scopes.js';

/** From good to bad. A `note` says what could not be looked at, or what is so on purpose in development. */
export const LEVELS = ['ok', 'note', 'warning', 'error'] as const;

export type Level = (typeof LEVELS)[number];

/** What is looked at, in the order of the checklist; the last ones only by an administrator's token. */
export const CHECKS = [
  'process',
  'settings',
  'module',
  'secret',
  'address',
  'tls',
  'realm',
  'issuer',
  'discovery',
  'credentials',
  'service_account',
  'clock',
  'lifetime',
  'next_service',
  'scope',
  'route',
  'shared_state',
  'signals',
  'administrator',
  'version',
  'client',
  'permission',
  'realm_settings',
] as const;

export type Check = (typeof CHECKS)[number];

export interface GrantedCall {
  readonly scope: string;
  readonly audience: string;
  readonly inWhoseName: InWhoseName;
}

export interface Finding {
  readonly check: Check;
  readonly level: Level;
  /** One sentence, which names what it is about. It holds no token and no secret. */
  readonly message: string;
  /** What to do; for warnings and errors, and some notes. */
  readonly cure?: string;
  /** Of which issuer, where there are several. */
  readonly issuer?: string;
  /** Keycloak gave no answer, which says nothing of the settings. */
  readonly isUnreachable?: true;
  /** What Keycloak granted when it was tried. */
  readonly granted?: GrantedCall;
  /** Fingerprints of keys that all services must have. */
  readonly keyFingerprints?: readonly string[];
  /** Another finding, of this process or of another one, is the cause as a rule. */
  readonly isSymptom?: true;
  /** Only an administrator's token shows it. */
  readonly needsAdministrator?: true;
}

export const ok = (check: Check, message: string): Finding => ({ check, level: 'ok', message });

export const note = (check: Check, message: string, cure?: string): Finding => ({
  check,
  level: 'note',
  message,
  ...(cure === undefined ? {} : { cure }),
});

/** For what only an administrator's token shows. */
export const unseen = (check: Check, message: string): Finding => ({
  ...note(check, message, 'Run doctor with --admin, which reads the realm.'),
  needsAdministrator: true,
});

export const warning = (check: Check, message: string, cure: string): Finding => ({
  check,
  level: 'warning',
  message,
  cure,
});

export const error = (check: Check, message: string, cure: string): Finding => ({
  check,
  level: 'error',
  message,
  cure,
});

/** The worst level; `ok` of none. */
export function worstOf(findings: readonly Finding[]): Level {
  return LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok';
}
