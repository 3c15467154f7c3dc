import type { Checkup } from '../../checkup/checkup.js';
import type { RegisteredService } from '../../checkup/checkup-parts.js';
import { error, note, ok, type Finding, type GrantedCall } from '../../checkup/finding.js';
import { clientFaults } from '../administrator/client-faults.js';
import { defaultScopeFindings } from './default-scope-findings.js';
import { noSuchScope } from '../administrator/scope-faults.js';
import type { PermissionPolicy } from '../policy/permission-policy.js';
import { permissionFaults } from './permission-faults.js';
import { clientNamed, scopeNamed } from '../administrator/realm-lookup.js';
import { namesOfRoleKeys } from '../administrator/role-key.js';
import type { RealmClient, RealmSnapshot } from '../administrator/realm-snapshot.js';

export async function clientFindings(
  realm: RealmSnapshot,
  { options, services }: Pick<Checkup, 'options' | 'services'>,
  granted: readonly GrantedCall[],
  policy: PermissionPolicy,
): Promise<Finding[]> {
  const { clientId } = options;
  const own = clientNamed(realm, clientId);
  if (own === undefined) {
    return [error('client', `The realm has no client ${clientId}.`, 'Correct clientId, or create the client.')];
  }
  const exchanges = services.some(({ scopes }) => scopes === undefined || scopes.onBehalfOf.length > 0);
  const ofClient = [...clientFaults(own, exchanges)];
  const findings =
    ofClient.length > 0
      ? ofClient
      : [ok('client', `${clientId} is enabled, has credentials, and has the capabilities that its settings need.`)];
  findings.push(...defaultScopeFindings(realm, own, services, options.expectedDefaultScopes));
  for (const service of services) {
    findings.push(...audienceFindings(realm, service));
    for (const scope of service.scopes?.onBehalfOf ?? []) {
      findings.push(...(await callFindings(realm, own, scope, { audience: service.audience, policy })));
      findings.push(...lightweightFindings(realm, own, scope, service.audience));
    }
    for (const scope of service.scopes?.asService ?? []) {
      findings.push(...(await callFindings(realm, own, scope, { audience: service.audience, policy })));
      const isGranted = granted.some(
        (call) => call.inWhoseName === 'asService' && call.scope === scope && call.audience === service.audience,
      );
      if (service.scopes?.isByKind === true && !isGranted) findings.push(...(await accountFindings(realm, own, scope)));
    }
  }
  return findings;
}

function audienceFindings(realm: RealmSnapshot, { name, audience }: RegisteredService): Finding[] {
  const client = clientNamed(realm, audience);
  if (client === undefined) {
    return [
      error(
        'client',
        `${name}: its audience ${audience} is not a client of the realm.`,
        `Compare \`audience\` where ${name} is registered with the client ids of the realm.`,
      ),
    ];
  }
  return client.isEnabled
    ? []
    : [error('client', `${name}: the client ${audience} is disabled.`, `Enable the client ${audience}.`)];
}

async function callFindings(
  realm: RealmSnapshot,
  own: RealmClient,
  name: string,
  { audience, policy }: { readonly audience: string; readonly policy: PermissionPolicy },
): Promise<Finding[]> {
  const scope = scopeNamed(realm, name);
  if (scope === undefined) return [noSuchScope(name)];
  const { clientId } = own;
  const faults: Finding[] = [];
  if (![...own.defaultScopes, ...own.optionalScopes].includes(name)) {
    faults.push(
      error(
        'permission',
        `${name} is not assigned to ${clientId}, so it may not ask for it.`,
        `Add it at the client ${clientId} (Client scopes), as optional. If that is not the client of this service, correct clientId instead.`,
      ),
    );
  }
  faults.push(...(await permissionFaults(realm, scope, audience, { askers: [own], policy })));
  return faults.length > 0 ? faults : [ok('permission', `${clientId} may ask for ${name}, which is for ${audience}.`)];
}

/** If the audience mapper does not apply to lightweight tokens, Keycloak refuses the token exchange. */
function lightweightFindings(realm: RealmSnapshot, own: RealmClient, name: string, audience: string): Finding[] {
  const mapper = scopeNamed(realm, name)?.audiences.find((one) => one.audience === audience);
  if (!own.hasLightweightTokens || mapper === undefined || mapper.isInLightweightToken) return [];
  return [
    error(
      'permission',
      `${own.clientId} has lightweight tokens, and the audience mapper of ${name} does not apply to them, so Keycloak exchanges no token for ${audience}.`,
      'Switch on "Add to lightweight access token" at the mapper, or switch off lightweight tokens at the client.',
    ),
  ];
}

async function accountFindings(realm: RealmSnapshot, own: RealmClient, name: string): Promise<Finding[]> {
  const scope = scopeNamed(realm, name);
  if (scope === undefined) return [];
  if (!own.hasServiceAccount) {
    return [
      error(
        'client',
        `${own.clientId} asks for ${name} as itself, but has no service account.`,
        `Switch on "Service account roles" at the client ${own.clientId}.`,
      ),
    ];
  }
  const [needed, had] = [await realm.rolesOf(scope), await realm.rolesOfServiceAccount(own)];
  if (had === undefined) {
    return [note('permission', `This administrator may not see the roles of ${own.clientId}'s service account.`)];
  }
  if (needed.length === 0 || needed.some((role) => had.has(role))) return [];
  return [
    error(
      'permission',
      `The service account of ${own.clientId} lacks all roles of ${name}: ${namesOfRoleKeys(needed)}.`,
      `Assign one of them (the client ${own.clientId}, Service account roles).`,
    ),
  ];
}
