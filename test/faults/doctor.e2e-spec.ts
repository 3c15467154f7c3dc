import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { KeycloakModuleOptions, ServiceScopes } from 'nestjs-keycloak-s2s';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { SECRETS, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { systemClock } from '../../libs/keycloak/src/caching/clock.js';
import type { Finding } from '../../libs/keycloak/src/checkup/finding.js';
import { composeKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import type { GuardedHandler } from '../../libs/keycloak/src/cli/application/application-subject.js';
import { examine } from '../../libs/keycloak/src/cli/doctor/examine.js';
import type { Examination } from '../../libs/keycloak/src/cli/report.js';
import { REALM_FAULTS } from '../../scripts/faults/realm-faults.mjs';
import {
  clientIn,
  createRealm,
  scopeIn,
  takeRole,
  unchanged,
  withRealm,
  type RealmCopy,
  type RealmFile,
} from '../support/realm-copy.js';

type Service = 'service-a' | 'service-b' | 'service-c';

interface Subject {
  readonly service: Service;
  readonly calls: Readonly<Record<string, ServiceScopes | readonly string[]>>;
  readonly accepts: readonly string[];
  readonly clients?: readonly string[];
  readonly options?: Partial<KeycloakModuleOptions>;
  readonly aheadSeconds?: number;
}

const A: Subject = {
  service: 'service-a',
  calls: { 'service-b': { asService: ['orders.approve'], onBehalfOf: ['orders.approve', 'receipts.read'] } },
  accepts: ['orders.read'],
};
const B: Subject = {
  service: 'service-b',
  calls: { 'service-c': { onBehalfOf: ['analytics.run'] } },
  accepts: ['orders.approve', 'inventory.adjust', 'receipts.read'],
};
const C: Subject = { service: 'service-c', calls: {}, accepts: ['analytics.run'], clients: ['service-b'] };

async function doctor(realm: RealmCopy, subject: Subject, asAdministrator = false): Promise<Examination> {
  const { service, calls, accepts, clients = [], options = {}, aheadSeconds = 0 } = subject;
  const { baseUrl, issuer } = realm;
  const keycloak = composeKeycloak(
    {
      internalServerUrl: baseUrl,
      issuer,
      clientId: service,
      clientSecret: SECRETS[service],
      allowInsecureRequests: true,
      ...options,
    },
    { clock: { ...systemClock, epochSeconds: () => Date.now() / 1000 + aheadSeconds } },
  );
  for (const [audience, scopes] of Object.entries(calls)) keycloak.service(audience, { baseUrl, audience, scopes });
  const route: GuardedHandler = {
    label: 'OrdersController.read (GET)',
    isClosed: false,
    anyOf: [],
    permissions: accepts,
    clients,
  };
  const token = asAdministrator ? await realm.administrator.token() : undefined;
  const examination = await examine({ keycloak, handlers: [route], notSeen: [] }, token);
  const text = JSON.stringify(examination);
  for (const secret of [SECRETS[service], token ?? 'eyJ', 'eyJ']) expect(text).not.toContain(secret);
  return examination;
}

const bad = ({ findings }: Examination): readonly Finding[] =>
  findings.filter(({ level }) => level === 'error' || level === 'warning');

const textOf = (findings: readonly Finding[]): string =>
  findings.map(({ check, level, message, cure = '' }) => `${level} ${check}: ${message} ${cure}`).join('\n');

interface Fault {
  /** The row of the fault in the table of docs/operations.md. */
  readonly row: number;
  readonly what: string;
  readonly change?: (realm: RealmFile) => unknown;
  readonly subject?: Subject;
  /** The pattern of the findings with the service's credentials. */
  readonly own?: RegExp;
  /** The pattern of the findings with an administrator's token. Default: `own`. */
  readonly administrator?: RegExp;
}

const NOTHING = /^$/;

const RESOURCE = 'https://analytics.example.com';

const noMapper = (scope: string) => (realm: RealmFile) => (scopeIn(realm, scope).protocolMappers = []);

/** Keycloak does not allow a client scope to be both optional and default. */
function makeDefault(realm: RealmFile, service: Service, scope: string): void {
  const client = clientIn(realm, service);
  client.optionalClientScopes = client.optionalClientScopes.filter((optional) => optional !== scope);
  client.defaultClientScopes.push(scope);
}

const FAULTS: readonly Fault[] = [
  {
    row: 1,
    what: 'a wrong secret',
    subject: { ...A, options: { clientSecret: 'not-the-password' } },
    own: /error credentials: Keycloak refuses the credentials of service-a: answered_401_invalid_(client|request)/,
  },
  {
    row: 10,
    what: 'an audience that is another service',
    subject: { ...A, calls: { 'service-c': A.calls['service-b'] ?? [] } },
    own: /error scope: orders.approve on behalf of callers, for service-c: the token of this scope is for service-b/,
    administrator: /error permission: The client scope orders.approve is for service-b, not for service-c/,
  },
  {
    row: 11,
    what: 'an audience that does not exist',
    subject: { ...A, calls: { 'servce-b': ['orders.approve'] } },
    own: /error next_service: servce-b: its audience servce-b is not a client .* says: "Audience not found"/,
    administrator: /error client: servce-b: its audience servce-b is not a client/,
  },
  {
    row: 12,
    what: 'a scope that is not assigned to the client',
    change: (realm) => (clientIn(realm, 'service-a').optionalClientScopes = ['receipts.read', 'orders.read']),
    own: /error scope: orders.approve is not assigned to service-a/,
  },
  {
    row: 12,
    what: 'a misspelt scope',
    subject: { ...A, calls: { 'service-b': ['orders.aprove'] } },
    own: /error scope: The realm lists no client scope orders.aprove/,
  },
  {
    row: 13,
    what: 'a service account without the role',
    change: (realm) => takeRole(realm, 'orders.approve'),
    own: /error scope: orders.approve as service-a itself, for service-b: the service account of service-a does not get the scope/,
    administrator:
      /error permission: The service account of service-a lacks all roles of orders.approve: had-by-nobody/,
  },
  {
    row: 14,
    what: 'a client that may not exchange tokens',
    change: (realm) => delete clientIn(realm, 'service-a').attributes['standard.token.exchange.enabled'],
    own: /error next_service: service-b: service-a can't exchange tokens: .* says: "Standard token exchange is not enabled/,
    administrator: /error client: service-a may not exchange tokens/,
  },
  {
    row: 15,
    what: 'a disabled service account',
    change: (realm) => (clientIn(realm, 'service-a').serviceAccountsEnabled = false),
    own: /error scope: orders.approve as service-a itself, for service-b: there is no service account/,
    administrator: /error client: service-a asks for orders.approve as itself, but has no service account/,
  },
  {
    row: 16,
    what: 'a called service whose client is disabled',
    change: (realm) => (clientIn(realm, 'service-b').enabled = false),
    own: /error next_service: service-b: its audience service-b is not a client of the realm, or the client is disabled/,
    administrator: /error client: service-b: the client service-b is disabled/,
  },
  {
    row: 17,
    what: 'a missing audience mapper',
    change: noMapper('orders.approve'),
    own: /error scope: orders.approve on behalf of callers, for service-b: .* The client scope has no audience mapper/,
    administrator: /error permission: The client scope orders.approve has no audience mapper/,
  },
  {
    row: 17,
    what: 'a missing audience mapper, if the service account has no role',
    change: noMapper('analytics.run'),
    subject: B,
    administrator: /error permission: The client scope analytics.run has no audience mapper/,
  },
  {
    row: 18,
    what: 'a missing audience mapper for a permission of the service itself',
    change: noMapper('orders.read'),
    administrator: /error permission: The client scope orders.read has no audience mapper/,
  },
  {
    row: 18,
    what: 'a client id that differs from the audience of its permissions',
    subject: { ...C, service: 'service-b' },
    administrator: /error permission: The client scope analytics.run is for service-c, not for service-b/,
  },
  {
    row: 19,
    what: 'a permission that tokens do not list in their scope',
    change: (realm) => (scopeIn(realm, 'analytics.run').attributes['include.in.token.scope'] = 'false'),
    subject: C,
    administrator: /error permission: The client scope analytics.run is not included in the scope of tokens/,
  },
  {
    row: 20,
    what: 'a route that demands a misspelt permission',
    subject: { ...A, accepts: ['orders.reed'] },
    own: /warning route: OrdersController.read \(GET\) demands orders.reed, but the realm lists no such client scope/,
    administrator: /error permission: orders.reed is not a client scope/,
  },
  {
    row: 24,
    what: 'a route that admits a misspelt client',
    subject: { ...C, clients: ['servce-b'] },
    administrator: /error route: OrdersController.read \(GET\): @AllowClients names servce-b, which is not a client/,
  },
  {
    row: 25,
    what: 'a clock that is behind',
    subject: { ...A, aheadSeconds: -30 },
    own: /error clock: This machine's clock is (29|30|31) s behind Keycloak's, measured by/,
  },
  {
    row: 26,
    what: 'a clock that is ahead',
    subject: { ...A, aheadSeconds: 3600 },
    own: /error clock: This machine's clock is (3599|3600|3601) s ahead of Keycloak's, measured by/,
  },
  {
    row: 29,
    what: 'the client id of another service',
    subject: { ...B, service: 'service-a' },
    own: /error client: This service runs with the client id service-a, but the permissions of its routes .* are for service-b\. .*Don't add a second mapper/,
  },
  {
    row: 29,
    what: 'the client id of the calling service',
    subject: { ...C, service: 'service-b' },
    administrator:
      /error client: This service runs with the client id service-b, but the permissions of its routes \(analytics\.run\) are for service-c\./,
  },
  {
    row: 30,
    what: 'a realm that demands https',
    change: (realm) => (realm.sslRequired = 'all'),
    own: /^error tls: The realm requires https: and refuses requests over http: answered_403_invalid_request, and says: "HTTPS required"\. .*Require SSL.*$/,
  },
  {
    row: 31,
    what: 'a realm that is disabled',
    change: (realm) => (realm.enabled = false),
    own: /^error realm: The realm is disabled: answered_403_access_denied, and says: "Realm not enabled"\. .*Enable it/,
  },
  {
    row: 32,
    what: 'a default scope that breaks every exchange',
    change: (realm) => makeDefault(realm, 'service-a', 'inventory.adjust'),
    own: /error scope: .* Keycloak adds inventory.adjust unasked, so each such call fails/,
    administrator:
      /error permission: inventory.adjust is a default client scope of service-a, .* Calls to service-b fail \(scope_not_asked_for\)/,
  },
  {
    row: 32,
    what: 'a default scope that breaks some calls, if the service has no service account',
    change: (realm) => {
      clientIn(realm, 'service-a').serviceAccountsEnabled = false;
      makeDefault(realm, 'service-a', 'orders.approve');
    },
    subject: { ...A, calls: { 'service-b': { onBehalfOf: ['orders.approve', 'receipts.read'] } } },
    administrator: /error permission: orders.approve is a default client scope of service-a/,
  },
  {
    row: 39,
    what: 'an audience mapper that names the URL of the resource',
    change: (realm) => {
      const [mapper] = scopeIn(realm, 'analytics.run').protocolMappers ?? [];
      if (mapper === undefined) throw new Error('analytics.run has no mapper');
      const { 'included.client.audience': _, ...config } = mapper.config;
      mapper.config = { ...config, 'included.custom.audience': RESOURCE };
    },
    subject: { ...C, options: { protectedResource: { resource: RESOURCE } } },
    administrator: /error client: The permissions of the routes \(analytics\.run\) are for the URL https:/,
  },
];

describeOnKeycloak('doctor', () => {
  let healthy: Awaited<ReturnType<typeof createRealm>>;
  beforeAll(async () => {
    healthy = await createRealm(unchanged);
  });
  afterAll(() => healthy.delete());

  it('reports no error and no warning for a healthy realm', async () => {
    for (const subject of [A, B, C]) {
      expect(textOf(bad(await doctor(healthy, subject)))).toBe('');
      const examination = await doctor(healthy, subject, true);
      expect(textOf(bad(examination))).toBe('');
      expect(examination.permittedCalls).toContainEqual({
        client: 'service-b',
        audience: 'service-c',
        scopes: ['analytics.run', 'attacks.exchange'],
        isInEachToken: false,
      });
    }
  });

  it.each<[string, (realm: RealmFile) => unknown]>([
    [
      'with the audience mapper in a default client scope',
      (realm) => {
        const { protocolMappers = [] } = scopeIn(realm, 'orders.approve');
        const attributes = { 'include.in.token.scope': 'false' };
        realm.clientScopes.push({ name: 'b-audience', protocol: 'openid-connect', protocolMappers, attributes });
        clientIn(realm, 'service-a').defaultClientScopes.push('b-audience');
        for (const scope of ['orders.approve', 'receipts.read']) scopeIn(realm, scope).protocolMappers = [];
      },
    ],
    [
      'with the audience mapper in the client',
      (realm) => {
        clientIn(realm, 'service-a').protocolMappers = scopeIn(realm, 'orders.approve').protocolMappers ?? [];
        for (const scope of ['orders.approve', 'receipts.read']) scopeIn(realm, scope).protocolMappers = [];
      },
    ],
    [
      'with composite roles',
      (realm) => {
        realm.roles.realm.push({ name: 'boss', composite: true, composites: { realm: ['order-manager'] } });
        for (const mapping of realm.scopeMappings)
          if (mapping.clientScope === 'orders.approve') mapping.roles = ['boss'];
      },
    ],
    [
      'with a disabled service account that no call needs',
      (realm) => (clientIn(realm, 'service-b').serviceAccountsEnabled = false),
    ],
  ])('reports no error and no warning for a realm %s', (_, change) =>
    withRealm(change, async (realm) => {
      for (const subject of [A, B]) {
        expect(textOf(bad(await doctor(realm, subject)))).toBe('');
        expect(textOf(bad(await doctor(realm, subject, true)))).toBe('');
      }
    }),
  );

  it('warns about a client scope that is for two services, and lists the disabled clients', () =>
    withRealm(
      (realm) => {
        const scope = scopeIn(realm, 'inventory.adjust');
        const [mapper] = scope.protocolMappers ?? [];
        const config = { ...mapper?.config, 'included.client.audience': 'service-c' };
        const another = { ...mapper, name: 'another', config };
        scope.protocolMappers?.push(another);
        clientIn(realm, 'warehouse').enabled = false;
      },
      async (realm) => {
        const { findings } = await doctor(realm, C, true);
        expect(textOf(findings)).toMatch(
          /warning permission: The client scope inventory.adjust is for service-b, service-c, so /,
        );
        expect(textOf(findings)).toContain('note client: Disabled clients of the realm: signal-poller, warehouse.');
      },
    ));

  it("reports lightweight tokens as an error for exchanges, but not for the service's own calls", () =>
    withRealm(
      (realm) => (clientIn(realm, 'service-a').attributes['client.use.lightweight.access.token.enabled'] = 'true'),
      async (realm) => {
        const asService: Subject = { ...A, calls: { 'service-b': { asService: ['orders.approve'] } } };
        expect(textOf(bad(await doctor(realm, asService)))).toMatch(
          /^warning scope: .* Unless the token is lightweight/,
        );
        expect(textOf(bad(await doctor(realm, asService, true)))).toBe('');
        const onBehalfOf: Subject = { ...A, calls: { 'service-b': { onBehalfOf: ['orders.approve'] } } };
        expect(textOf(bad(await doctor(realm, onBehalfOf)))).toMatch(/"Add to lightweight access token"/);
        expect(textOf(bad(await doctor(realm, onBehalfOf, true)))).toMatch(
          /error permission: service-a has lightweight tokens, and the audience mapper of orders.approve does not apply to them/,
        );
      },
    ));

  it("recommends no audience mapper if a service has another service's client id (row 29)", async () => {
    for (const subject of [{ ...B, service: 'service-a' } as const, { ...C, service: 'service-b' } as const]) {
      for (const asAdministrator of [false, true]) {
        expect(textOf(bad(await doctor(healthy, subject, asAdministrator)))).not.toMatch(/Add a mapper of the type/);
      }
    }
  });

  it('reports a default scope as a warning if each call requests the scope (row 32)', () =>
    withRealm(
      (realm) => makeDefault(realm, 'service-b', 'analytics.run'),
      async (realm) => {
        expect(textOf(bad(await doctor(realm, B, true)))).toMatch(
          /^warning permission: analytics.run is a default scope of service-b/,
        );
      },
    ));

  it.each(FAULTS)('finds $what (row $row)', async ({ change, subject = A, own, administrator }) => {
    const examineIn = async (realm: RealmCopy): Promise<void> => {
      const byOwn = textOf(bad(await doctor(realm, subject)));
      expect(byOwn).toMatch(own ?? NOTHING);
      expect(textOf(bad(await doctor(realm, subject, true)))).toMatch(administrator ?? own ?? NOTHING);
    };
    await (change === undefined ? examineIn(healthy) : withRealm(change, examineIn));
  });

  it('notes for a protected resource that the realm lists offline_access, and not resource-indicators (rows 40, 41)', async () => {
    for (const subject of [A, C]) {
      const options = { protectedResource: { resource: RESOURCE } };
      const { findings } = await doctor(healthy, { ...subject, options }, true);
      expect(textOf(bad({ findings }))).toBe('');
      expect(textOf(findings)).toMatch(/note scope: The metadata of the realm list offline_access/);
      expect(textOf(findings)).not.toContain('resource-indicators');
    }
  });

  it('finds a wrong issuer or realm, an unreachable address and missing TLS (rows 3, 4, 6, 7)', async () => {
    const { issuer, baseUrl } = healthy;
    const path = new URL(issuer).pathname;
    const of = async (changed: Partial<RealmCopy>): Promise<string> =>
      textOf(bad(await doctor({ ...healthy, ...changed }, A, true)));
    expect(await of({ issuer: `http://127.0.0.2:8080${path}` })).toContain(
      `error issuer: The realm at ${issuer} has the issuer ${issuer}, but http://127.0.0.2:8080${path} is configured.`,
    );
    expect(await of({ issuer: `${issuer}x` })).toContain(`error realm: Keycloak has no realm at ${issuer}x.`);
    expect(await of({ baseUrl: 'http://127.0.0.1:9' })).toMatch(
      /error address: Keycloak is unreachable .*ECONNREFUSED/,
    );
    expect(await of({ baseUrl: baseUrl.replace('http:', 'https:') })).toMatch(/error tls: \S+ does not speak TLS/);
  });

  it.each(REALM_FAULTS)('finds each fault that npm run faults causes: $what', ({ make }) =>
    withRealm(unchanged, async (realm) => {
      await make(realm.administrator);
      const examinations = [await doctor(realm, A, true), await doctor(realm, B, true), await doctor(realm, C, true)];
      expect(textOf(examinations.flatMap(bad))).toMatch(/^error /m);
    }),
  );

  it('finds events and demo clients enabled after npm run faults -- --undo', () =>
    withRealm(unchanged, async ({ baseUrl, issuer, administrator }) => {
      const environment = {
        PATH: process.env['PATH'],
        AUTHORIZATION_SERVER: `${baseUrl}/realms/${realmOf(issuer)}`,
        KEYCLOAK_ADMIN_TOKEN: await administrator.token(),
      };
      await promisify(execFile)(process.execPath, ['scripts/faults/faults.mjs', '--undo'], { env: environment });
      expect(await administrator.read('')).toMatchObject({ eventsEnabled: true, adminEventsEnabled: true });
      for (const client of ['signal-poller', 'one-for-all']) {
        expect(await administrator.read(`/clients?clientId=${client}`)).toMatchObject([{ enabled: true }]);
      }
    }));
});
