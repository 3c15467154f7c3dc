/** permissionsOf(): the client scopes that the handlers of a service demand. */
import type { Checkup } from '../checkup/checkup.js';
import type { GuardedHandler } from './doctor-subject.js';

/** Empty with `mapPermissions`, because permissions are then not scopes. */
export const permissionsOf = (
  { options }: Pick<Checkup, 'options'>,
  handlers: readonly GuardedHandler[],
): readonly string[] =>
  options.mapPermissions === undefined
    ? [...new Set(handlers.flatMap(({ permissions, anyOf }) => [...permissions, ...anyOf.flat()]))]
    : [];
