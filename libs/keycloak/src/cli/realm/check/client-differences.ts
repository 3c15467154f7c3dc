import { error, note, warning, type Finding } from '../../../checkup/finding.js';
import { tokenFaults } from './token-faults.js';
import { clientFaults } from '../../administrator/client-faults.js';
import { clientNamed } from '../../administrator/realm-lookup.js';
import { nameOfRoleKey } from '../../administrator/role-key.js';
import type { RealmClient, RealmSnapshot } from '../../administrator/realm-snapshot.js';
import { keyOfRole } from '../../policy/holders.js';
import type { RealmRequirements, RequiredClient } from '../realm-requirements.js';

export async function clientDifferences(
  required: RequiredClient,
  requirements: RealmRequirements,
  realm: RealmSnapshot,
  file: string,
): Promise<Finding[]> {
  const { clientId, tokenExchange, serviceAccount } = required;
  const client = clientNamed(realm, clientId);
  if (client === undefined) {
    return [error('client', `The realm has no client ${clientId}.`, 'Create the client, or correct clientId.')];
  }
  const findings = [...tokenFaults(client, realm), ...clientFaults(client, tokenExchange)];
  if (client.mayExchange && !tokenExchange) {
    findings.push(
      warning(
        'client',
        `${clientId} may exchange tokens, but its module makes no call on behalf of callers.`,
        `Switch off "Standard token exchange" at the client ${clientId} (Capability config).`,
      ),
    );
  }
  if (serviceAccount && !client.hasServiceAccount) {
    findings.push(
      error(
        'client',
        `${clientId} asks for permissions in its own name, but has no service account.`,
        `Switch on "Service account roles" at the client ${clientId}.`,
      ),
    );
  } else if (client.hasServiceAccount && !serviceAccount) {
    findings.push(note('client', `${clientId} has a service account, which its module does not need.`));
  }
  return [...findings, ...(await accountDifferences(client, required, requirements, realm, file))];
}

async function accountDifferences(
  client: RealmClient,
  { clientId, serviceAccountRoles }: RequiredClient,
  { permissions }: RealmRequirements,
  realm: RealmSnapshot,
  file: string,
): Promise<Finding[]> {
  if (!client.hasServiceAccount) return [];
  const had = await realm.rolesOfServiceAccount(client);
  if (had === undefined) {
    return [note('client', `This administrator may not see the roles of ${clientId}'s service account (view-users).`)];
  }
  const needed = serviceAccountRoles.map(keyOfRole);
  const missing = needed.filter((role) => !had.has(role));
  const more = new Set(
    permissions.flatMap(({ roles = [] }) =>
      roles.map(keyOfRole).filter((role) => had.has(role) && !needed.includes(role)),
    ),
  );
  return [
    ...missing.map((role) =>
      error(
        'client',
        `The service account of ${clientId} lacks the role ${nameOfRoleKey(role)}.`,
        `Assign it (the client ${clientId}, Service account roles).`,
      ),
    ),
    ...[...more].map((role) =>
      warning(
        'client',
        `The service account of ${clientId} has the role ${nameOfRoleKey(role)}, which "serviceAccounts" does not name.`,
        `Remove the role (the client ${clientId}, Service account roles), or name it in ${file}.`,
      ),
    ),
  ];
}
