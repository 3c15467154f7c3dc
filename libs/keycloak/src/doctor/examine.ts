/** Examine: everything that doctor looks at, in the order of its checklist. */
import { error, note, type Finding } from '../checkup/finding.js';
import { wordsOf } from '../checkup/refusal-words.js';
import { Refusal } from '../protocol/refusal.js';
import { AdminApi, AdminApiError } from './admin-api.js';
import type { AcceptedRoute, DoctorSubject } from './doctor-subject.js';
import {
  clientFindings,
  permittedCalls,
  realmWideFindings,
  routeRealmFindings,
  type PermittedCall,
} from './realm-findings.js';
import { readRealm } from './realm-snapshot.js';

export interface Examination {
  readonly findings: readonly Finding[];
  /** Who may call whom: only with an administrator's token. */
  readonly permittedCalls?: readonly PermittedCall[];
}

/** Does not throw for what Keycloak or a service answers. */
export async function examine(subject: DoctorSubject, adminToken: string | undefined): Promise<Examination> {
  const { checkup } = subject.keycloak;
  const findings = [...(await checkup.run()), ...(await checkup.reach()), ...closedRoutes(subject.routes)];
  const isReached = findings.some(({ check, level }) => check === 'address' && level === 'ok');
  if (!isReached) {
    const unread = note('administrator', 'The realm was not read, since Keycloak is not reached.');
    return { findings: distinct(adminToken === undefined ? findings : [...findings, unread]) };
  }
  findings.push(...(await unknownPermissions(subject)));
  if (adminToken === undefined) return { findings: distinct(findings) };
  try {
    const { findings: ofRealm, permittedCalls: calls } = await examineRealm(subject, adminToken);
    const others = findings.filter(({ needsAdministrator }) => needsAdministrator !== true);
    return { findings: distinct([...others, ...ofRealm]), permittedCalls: calls };
  } catch (failure) {
    return { findings: distinct([...findings, unreadable(failure)]) };
  }
}

async function examineRealm({ keycloak, routes }: DoctorSubject, adminToken: string): Promise<Required<Examination>> {
  const { checkup, fetch } = keycloak;
  const realm = await readRealm(new AdminApi(fetch.apart('doctor'), checkup.options.realmUrl, adminToken));
  const findings = [
    ...(await realmWideFindings(realm, checkup)),
    ...(await clientFindings(realm, checkup)),
    ...(await routeRealmFindings(realm, checkup, routes)),
  ];
  return { findings, permittedCalls: permittedCalls(realm) };
}

/** The log at the start names them, too; each may be meant. */
const closedRoutes = (routes: readonly AcceptedRoute[]): Finding[] =>
  routes
    .filter(({ isClosed }) => isClosed)
    .map(({ label }) => note('route', `${label} is closed: no decorator opens it, every request gets 403.`));

/** Permissions that the realm says it does not have; a realm need not say (RFC 8414, `scopes_supported`). */
async function unknownPermissions({ keycloak, routes }: DoctorSubject): Promise<Finding[]> {
  const known = await keycloak.checkup.knownScopes();
  if (known === undefined) return [];
  return routes.flatMap(({ label, permissions }) =>
    permissions
      .filter((permission) => !known.includes(permission))
      .map((permission) =>
        error(
          'route',
          `${label} demands ${permission}, which is no client scope of the realm, so nobody passes.`,
          'Mend its spelling, or create the client scope.',
        ),
      ),
  );
}

function unreadable(failure: unknown): Finding {
  if (!(failure instanceof AdminApiError) && !(failure instanceof Refusal)) throw failure;
  if (failure instanceof AdminApiError && failure.status === NOT_IMPLEMENTED) {
    return note(
      'administrator',
      'The realm was not read: this is the embedded server of tests, which has no more of the admin API than they need.',
    );
  }
  const said = failure instanceof Refusal ? wordsOf(failure) : failure.message;
  return error(
    'administrator',
    `The realm can't be read as an administrator: ${said}.`,
    'Get a new token (they live a minute) of a user with the roles view-realm, view-clients, view-users of realm-management.',
  );
}

/** So the embedded server answers. */
const NOT_IMPLEMENTED = 501;

/** What is found in two ways, or of a service that two clients call, is said once. */
const distinct = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ message }, at) => findings.findIndex((other) => other.message === message) === at);
