import type { Checkup } from '../../checkup/checkup.js';
import type { GuardedHandler } from './application-subject.js';

/** The list is empty if `mapPermissions` is set, because the permissions are then not scopes. */
export const permissionsOf = (
  { options }: Pick<Checkup, 'options'>,
  handlers: readonly GuardedHandler[],
): readonly string[] =>
  options.mapPermissions === undefined
    ? [...new Set(handlers.flatMap(({ permissions, anyOf }) => [...permissions, ...anyOf.flat()]))]
    : [];
