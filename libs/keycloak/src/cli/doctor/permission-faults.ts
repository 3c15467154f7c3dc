import { warning, type Finding } from '../../checkup/finding.js';
import { mayBeHeldByEveryone, PERMISSIONS_FILE, type PermissionPolicy } from '../policy/permission-policy.js';
import type { RealmClient, RealmScope, RealmSnapshot } from '../administrator/realm-snapshot.js';
import { scopeFaults } from '../administrator/scope-faults.js';

export async function permissionFaults(
  realm: RealmSnapshot,
  scope: RealmScope,
  audience: string,
  { askers, policy }: { readonly askers: readonly RealmClient[]; readonly policy: PermissionPolicy },
): Promise<Finding[]> {
  const { name } = scope;
  const roles = await realm.rolesOf(scope);
  const faults = scopeFaults(realm, scope, audience, { roles, askers });
  if (roles.length > 0 || mayBeHeldByEveryone(policy, name)) return faults;
  return [
    ...faults,
    warning(
      'permission',
      `The client scope ${name} is mapped to no role, so every user and service account gets it.`,
      `Assign the permitted roles at the client scope ${name} (Scope). If everyone may hold it, declare "everyone": true for it in ${PERMISSIONS_FILE}.`,
    ),
  ];
}
