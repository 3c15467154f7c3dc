import type { Checkup } from '../../checkup/checkup.js';
import { error, ok, warning, type Finding } from '../../checkup/finding.js';
import type { GuardedHandler } from '../application/application-subject.js';
import { realmClientIdFindings } from './client-id-findings.js';
import { permissionsOf } from '../application/permissions-of.js';
import { noSuchScope } from '../administrator/scope-faults.js';
import type { PermissionPolicy } from '../policy/permission-policy.js';
import { permissionFaults } from './permission-faults.js';
import { clientNamed, mayAskFor, namesOf, scopeNamed } from '../administrator/realm-lookup.js';
import type { RealmSnapshot } from '../administrator/realm-snapshot.js';

export async function handlerFindings(
  realm: RealmSnapshot,
  checkup: Checkup,
  handlers: readonly GuardedHandler[],
  policy: PermissionPolicy,
): Promise<Finding[]> {
  const { options } = checkup;
  const findings = realmClientIdFindings(realm, checkup, handlers);
  for (const name of permissionsOf(checkup, handlers)) {
    const scope = scopeNamed(realm, name);
    if (scope === undefined) {
      findings.push(noSuchScope(name));
      continue;
    }
    const askers = realm.clients.filter((client) => mayAskFor(client, name));
    const faults = await permissionFaults(realm, scope, options.clientId, { askers, policy });
    findings.push(...faults);
    if (askers.length === 0) {
      findings.push(
        warning(
          'permission',
          `No client may ask for ${name}.`,
          'Add the client scope to the calling clients, as optional.',
        ),
      );
    } else if (faults.length === 0) {
      findings.push(ok('permission', `${name} is for ${options.clientId}; ${namesOf(askers)} may ask for it.`));
    }
  }
  const allowed = ({ clients }: GuardedHandler): readonly string[] =>
    clients.flatMap((client) =>
      typeof client === 'string' ? client : client.issuer === options.issuer ? client.clientId : [],
    );
  for (const clientId of new Set(handlers.flatMap(allowed))) {
    if (clientNamed(realm, clientId) !== undefined) continue;
    const where = handlers.filter((handler) => allowed(handler).includes(clientId)).map(({ label }) => label);
    findings.push(
      error(
        'route',
        `${where.join(', ')}: @AllowClients names ${clientId}, which is not a client of the realm.`,
        'Correct its spelling.',
      ),
    );
  }
  return findings;
}
