/** Realm findings: what only an administrator sees of a realm, held against what a service calls and accepts. */
import type { Checkup } from '../checkup/checkup.js';
import type { RegisteredService } from '../checkup/checkup-parts.js';
import { error, note, ok, warning, type Finding, type GrantedCall } from '../checkup/finding.js';
import type { AcceptedRoute } from './doctor-subject.js';
import type { RealmClient, RealmScope, RealmSnapshot } from './realm-snapshot.js';

/** The version of Keycloak that the project's tests run against. */
const TESTED_VERSION = /^26\.7\./;

export async function realmWideFindings(realm: RealmSnapshot, { options }: Checkup): Promise<Finding[]> {
  return [
    versionFinding(realm.version),
    ...settingsFindings(realm, options.revocationMemorySeconds),
    ...wideScopes(realm),
    ...disabledClients(realm),
  ];
}

function versionFinding(version: string | undefined): Finding {
  if (version === undefined) return note('version', "This administrator may not see Keycloak's version.");
  if (TESTED_VERSION.test(version))
    return ok('version', `Keycloak ${version} is the version that the tests run against.`);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 26 || (major === 26 && minor < 2)
    ? error('version', `Keycloak ${version} has no standard token exchange.`, 'Update Keycloak to 26.2 or newer.')
    : note('version', `The tests run against Keycloak 26.7, and this is ${version}.`);
}

function settingsFindings({ settings }: RealmSnapshot, revocationMemorySeconds: number): Finding[] {
  const { bruteForceProtected, sslRequired, unmanagedAttributes, ssoSessionMaxLifespan } = settings;
  const findings = [
    ...(bruteForceProtected
      ? []
      : [
          warning(
            'realm_settings',
            'The realm lets anybody guess passwords without end.',
            'Switch on brute force detection (Realm settings, Security defenses).',
          ),
        ]),
    ...(sslRequired === 'none'
      ? [warning('realm_settings', 'The realm takes http: from everywhere.', 'Set Require SSL to External requests.')]
      : []),
    ...(unmanagedAttributes === 'ENABLED'
      ? [
          warning(
            'realm_settings',
            'Users may give themselves any attribute, which a mapper may put into tokens (unmanaged attributes).',
            'Switch unmanaged attributes off, or to Only administrators can write.',
          ),
        ]
      : []),
    ...(ssoSessionMaxLifespan > revocationMemorySeconds
      ? [
          warning(
            'realm_settings',
            `A session may last ${ssoSessionMaxLifespan} s (SSO Session Max), longer than a denial is held (revocationMemorySeconds, ${revocationMemorySeconds} s).`,
            'Raise revocationMemorySeconds to SSO Session Max.',
          ),
        ]
      : []),
  ];
  return findings.length > 0
    ? findings
    : [ok('realm_settings', 'Brute force detection is on, TLS is required, and sessions end in time.')];
}

/** Warns of each client scope with more than one audience, whichever client may ask for it. */
const wideScopes = ({ scopes }: RealmSnapshot): Finding[] =>
  scopes
    .filter(({ audiences }) => new Set(audiences.map(({ audience }) => audience)).size > 1)
    .map(({ name, audiences }) =>
      warning(
        'permission',
        `The client scope ${name} is for ${audiences.map(({ audience }) => audience).join(', ')}: a token stolen at one of them opens the others.`,
        'Leave one audience mapper at each client scope.',
      ),
    );

function disabledClients({ clients }: RealmSnapshot): Finding[] {
  const disabled = clients.filter(({ isEnabled }) => !isEnabled);
  return disabled.length === 0 ? [] : [note('client', `Disabled clients of the realm: ${namesOf(disabled)}.`)];
}

/** Of the service itself, and of those that it calls. */
export async function clientFindings(
  realm: RealmSnapshot,
  { options, services }: Pick<Checkup, 'options' | 'services'>,
  granted: readonly GrantedCall[],
): Promise<Finding[]> {
  const { clientId } = options;
  const own = clientNamed(realm, clientId);
  if (own === undefined) {
    return [error('client', `There is no client ${clientId} in the realm.`, 'Mend clientId, or create the client.')];
  }
  const ofClient = [...ownClientFindings(own, services)];
  const findings =
    ofClient.length > 0
      ? ofClient
      : [ok('client', `${clientId} is enabled, has credentials, and may do what it is configured for.`)];
  for (const service of services) {
    findings.push(...audienceFindings(realm, service));
    for (const scope of service.scopes?.onBehalfOf ?? []) {
      findings.push(...(await callFindings(realm, own, scope, service.audience)));
      findings.push(...lightweightFindings(realm, own, scope, service.audience));
    }
    for (const scope of service.scopes?.asSelf ?? []) {
      findings.push(...(await callFindings(realm, own, scope, service.audience)));
      const isGranted = granted.some(
        (call) => call.inWhoseName === 'asSelf' && call.scope === scope && call.audience === service.audience,
      );
      if (service.scopes?.isByKind === true && !isGranted) findings.push(...(await accountFindings(realm, own, scope)));
    }
  }
  return findings;
}

function* ownClientFindings(own: RealmClient, services: readonly RegisteredService[]): Iterable<Finding> {
  const { clientId } = own;
  if (!own.isEnabled) yield error('client', `${clientId} is disabled.`, `Enable the client ${clientId}.`);
  if (own.isPublic) {
    yield error('client', `${clientId} has no credentials.`, `Switch on Client authentication at ${clientId}.`);
  }
  const exchanges = services.some(({ scopes }) => scopes === undefined || scopes.onBehalfOf.length > 0);
  if (exchanges && !own.mayExchange) {
    yield error(
      'client',
      `${clientId} may not exchange tokens, so it calls no service on behalf of callers.`,
      `Switch on "Standard token exchange" at the client ${clientId} (Capability config).`,
    );
  }
  if (own.hasFullScope) {
    yield warning(
      'client',
      `${clientId} has "Full scope allowed": its tokens hold all roles of their user.`,
      `Switch it off at the client ${clientId} (Client scopes, dedicated scope, Scope).`,
    );
  }
}

function audienceFindings(realm: RealmSnapshot, { name, audience }: RegisteredService): Finding[] {
  const client = clientNamed(realm, audience);
  if (client === undefined) {
    return [
      error(
        'client',
        `${name}: its audience ${audience} is no client of the realm.`,
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
  audience: string,
): Promise<Finding[]> {
  const scope = scopeNamed(realm, name);
  if (scope === undefined) return [noSuchScope(name)];
  const { clientId } = own;
  const faults: Finding[] = [];
  if (own.defaultScopes.includes(name)) {
    faults.push(
      warning(
        'permission',
        `${name} is a default scope of ${clientId}, so each of its tokens asks for it.`,
        `Make it optional at the client ${clientId} (Client scopes).`,
      ),
    );
  } else if (!own.optionalScopes.includes(name)) {
    faults.push(
      error(
        'permission',
        `${name} is not assigned to ${clientId}, so it may not ask for it.`,
        `Add it at the client ${clientId} (Client scopes), as optional.`,
      ),
    );
  }
  faults.push(...(await scopeFaults(realm, scope, audience, [own])));
  return faults.length > 0 ? faults : [ok('permission', `${clientId} may ask for ${name}, which is for ${audience}.`)];
}

/** Keycloak looks for the audience in the token itself before it gives one out by exchange. */
function lightweightFindings(realm: RealmSnapshot, own: RealmClient, name: string, audience: string): Finding[] {
  const mapper = scopeNamed(realm, name)?.audiences.find((one) => one.audience === audience);
  if (!own.hasLightweightTokens || mapper === undefined || mapper.isInLightweightToken) return [];
  return [
    error(
      'permission',
      `${own.clientId} has lightweight tokens, which the audience mapper of ${name} leaves out, so Keycloak exchanges none for ${audience}.`,
      'Switch on "Add to lightweight access token" at the mapper, or lightweight tokens off at the client.',
    ),
  ];
}

/** What is wrong with a client scope that is to be a permission at `audience`, where these clients ask for it. */
async function scopeFaults(
  realm: RealmSnapshot,
  scope: RealmScope,
  audience: string,
  askers: readonly RealmClient[],
): Promise<Finding[]> {
  const { name, isInTokenScope } = scope;
  const roles = await realm.rolesOf(scope);
  const faults = [...audienceFaults(realm, scope, audience, { roles, askers })];
  if (!isInTokenScope) {
    faults.push(
      error(
        'permission',
        `The client scope ${name} is left out of the scope of tokens, so nobody has the permission.`,
        `Switch on "Include in token scope" at the client scope ${name}.`,
      ),
    );
  }
  if (roles.length === 0) {
    faults.push(
      warning(
        'permission',
        `The client scope ${name} is mapped to no role, so every user and service account gets it.`,
        `Assign the roles that may have it, at the client scope ${name} (Scope).`,
      ),
    );
  }
  return faults;
}

function* audienceFaults(
  realm: RealmSnapshot,
  { name, audiences }: RealmScope,
  audience: string,
  { roles, askers }: { readonly roles: readonly string[]; readonly askers: readonly RealmClient[] },
): Iterable<Finding> {
  const own = audiences.find((one) => one.audience === audience);
  const others = audiences.filter((one) => one.audience !== audience).map((one) => one.audience);
  if (own === undefined) {
    // Those of its client bring an audience by the mapper Audience Resolve.
    if (roles.some((role) => role.startsWith(`${audience}.`))) return;
    const without = askers.filter((client) => !alwaysFor(realm, client).includes(audience));
    if (askers.length > 0 && without.length === 0) {
      yield note(
        'permission',
        `The client scope ${name} has no audience mapper for ${audience}: each token of ${namesOf(askers)} names it, whatever its scope.`,
      );
      return;
    }
    yield error(
      'permission',
      others.length === 0
        ? `The client scope ${name} has no audience mapper, so its tokens are for nobody.`
        : `The client scope ${name} is for ${others.join(', ')}, and not for ${audience}.`,
      `Add a mapper of the type Audience to the client scope ${name}, with the client ${audience}.`,
    );
    return;
  }
  if (!own.isInAccessToken || !own.isInIntrospection) {
    yield error(
      'permission',
      `The audience mapper of ${name} leaves ${audience} out of access tokens, or of introspection.`,
      'Switch on "Add to access token" and "Add to token introspection" at the mapper.',
    );
  }
}

/** The audiences of each token of a client, by mappers of its own and of its default scopes. */
function alwaysFor({ scopes }: RealmSnapshot, client: RealmClient): readonly string[] {
  const ofScopes = scopes
    .filter(({ name }) => client.defaultScopes.includes(name))
    .flatMap(({ audiences }) => audiences);
  return [...client.audiences, ...ofScopes].map(({ audience }) => audience);
}

const namesOf = (clients: readonly RealmClient[]): string => clients.map(({ clientId }) => clientId).join(', ');

async function accountFindings(realm: RealmSnapshot, own: RealmClient, name: string): Promise<Finding[]> {
  const scope = scopeNamed(realm, name);
  if (scope === undefined) return [];
  if (!own.hasServiceAccount) {
    return [
      error(
        'client',
        `${own.clientId} has no service account, and asks for ${name} as itself.`,
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
      `The service account of ${own.clientId} has none of the roles of ${name}: ${needed.join(', ')}.`,
      `Assign one of them (the client ${own.clientId}, Service account roles).`,
    ),
  ];
}

/** Of what the service's own routes demand. */
export async function routeRealmFindings(
  realm: RealmSnapshot,
  { options }: Checkup,
  routes: readonly AcceptedRoute[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const permissions = new Set(options.permissions === undefined ? routes.flatMap((route) => route.permissions) : []);
  for (const name of permissions) {
    const scope = scopeNamed(realm, name);
    if (scope === undefined) {
      findings.push(noSuchScope(name));
      continue;
    }
    const askers = realm.clients.filter((client) => mayAskFor(client, name));
    const faults = await scopeFaults(realm, scope, options.clientId, askers);
    findings.push(...faults);
    if (askers.length === 0) {
      findings.push(
        warning(
          'permission',
          `No client may ask for ${name}.`,
          'Add the client scope to those that call, as optional.',
        ),
      );
    } else if (faults.length === 0) {
      findings.push(ok('permission', `${name} is for ${options.clientId}; ${namesOf(askers)} may ask for it.`));
    }
  }
  for (const clientId of new Set(routes.flatMap(({ clients }) => clients))) {
    if (clientNamed(realm, clientId) !== undefined) continue;
    const where = routes.filter(({ clients }) => clients.includes(clientId)).map(({ label }) => label);
    findings.push(
      error(
        'route',
        `${where.join(', ')}: @AllowClients names ${clientId}, which is no client of the realm.`,
        'Mend its spelling.',
      ),
    );
  }
  return findings;
}

const mayAskFor = ({ isEnabled, defaultScopes, optionalScopes }: RealmClient, scope: string): boolean =>
  isEnabled && [...defaultScopes, ...optionalScopes].includes(scope);

const noSuchScope = (name: string): Finding =>
  error('permission', `${name} is no client scope of the realm.`, 'Mend its spelling, or create the client scope.');

const clientNamed = ({ clients }: RealmSnapshot, id: string): RealmClient | undefined =>
  clients.find(({ clientId }) => clientId === id);

const scopeNamed = ({ scopes }: RealmSnapshot, name: string): RealmScope | undefined =>
  scopes.find((scope) => scope.name === name);

/** Who may call whom: a client, the audience of its tokens, and the scopes that it may ask for at it. */
export interface PermittedCall {
  readonly client: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  /** Whether each of its tokens is for this audience, whatever scope it asks for. */
  readonly isInEachToken: boolean;
}

export function permittedCalls(realm: RealmSnapshot): PermittedCall[] {
  const disabled = new Set(realm.clients.filter(({ isEnabled }) => !isEnabled).map(({ clientId }) => clientId));
  return realm.clients
    .filter(({ isEnabled }) => isEnabled)
    .flatMap((client) => {
      const always = new Set(alwaysFor(realm, client));
      const asked = realm.scopes.filter(({ name }) => mayAskFor(client, name));
      const ofScopes = asked.flatMap(({ audiences }) => audiences.map(({ audience }) => audience));
      return [...new Set([...always, ...ofScopes])]
        .filter((audience) => !disabled.has(audience))
        .toSorted()
        .map((audience) => ({
          client: client.clientId,
          audience,
          scopes: asked
            .filter(({ audiences }) => audiences.some((one) => one.audience === audience))
            .map(({ name }) => name)
            .toSorted(),
          isInEachToken: always.has(audience),
        }));
    });
}
