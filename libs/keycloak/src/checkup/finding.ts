import type { InWhoseName } from '../client/declared-scopes.js';

/**
 * The levels go from best to worst. A `note` reports a skipped check, or a setting that is acceptable only in
 * development.
 */
export const LEVELS = ['ok', 'note', 'warning', 'error'] as const;

export type Level = (typeof LEVELS)[number];

export const CHECKS = [
  'process',
  'settings',
  'module',
  'enforcement',
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
  /** The message names the finding's subject, and contains no token or secret. */
  readonly message: string;
  readonly cure?: string;
  readonly issuer?: string;
  /** Set if Keycloak gave no usable answer, so the settings are unverified. */
  readonly isUnreachable?: true;
  readonly granted?: GrantedCall;
  /** The fingerprints of the keys that all services share. */
  readonly keyFingerprints?: readonly string[];
  /** Marks a consequence; another finding, perhaps of another process, reports the cause. */
  readonly isSymptom?: true;
  readonly needsAdministrator?: true;
}

export const ok = (check: Check, message: string): Finding => ({ check, level: 'ok', message });

export const note = (check: Check, message: string, cure?: string): Finding => ({
  check,
  level: 'note',
  message,
  ...(cure === undefined ? {} : { cure }),
});

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

export function worstOf(findings: readonly Finding[]): Level {
  return LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok';
}
