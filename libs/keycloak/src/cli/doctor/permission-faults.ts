import { warning, type Finding } from '../../checkup/finding.js';
import type { RealmClient, RealmScope, RealmSnapshot } from '../administrator/realm-snapshot.js';
import { scopeFaults } from '../administrator/scope-faults.js';

export async function permissionFaults(
  realm: RealmSnapshot,
  scope: RealmScope,
  audience: string,
  askers: readonly RealmClient[],
): Promise<Finding[]> {
  const { name } = scope;
  const roles = await realm.rolesOf(scope);
  const faults = scopeFaults(realm, scope, audience, { roles, askers });
  if (roles.length > 0) return faults;
  return [
    ...faults,
    warning(
      'permission',
      `The client scope ${name} is mapped to no role, so every user and service account gets it.`,
      `Assign the permitted roles at the client scope ${name} (Scope). If everyone may hold it, leave it as it is.`,
    ),
  ];
}
