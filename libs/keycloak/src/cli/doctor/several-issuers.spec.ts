import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CLIENT_SECRET, startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { composeKeycloak } from '../../module/compose-keycloak.js';
import type { IssuerOptions } from '../../options/issuer.options.js';
import type { Examination } from '../report.js';
import { examine } from './examine.js';
import { jsonReport, textReport } from '../report.js';

let [own, partner]: RunningAuthorizationServer[] = [];
const issuerAt = (at: 0 | 1): string => {
  const server = [own, partner][at];
  if (server === undefined) throw new Error('not started');
  return server.issuer;
};

beforeAll(async () => {
  [own, partner] = await Promise.all([startTestRealm(), startTestRealm()]);
});
afterAll(async () => {
  await Promise.all([own?.stop(), partner?.stop()]);
});

function looked(ofPartner: Partial<IssuerOptions> = {}, adminToken?: string): Promise<Examination> {
  const client = { clientId: 'service-a', clientSecret: CLIENT_SECRET };
  const keycloak = composeKeycloak({
    allowInsecureRequests: true,
    issuers: [
      { issuer: issuerAt(0), ...client },
      { issuer: issuerAt(1), ...client, acceptedScopes: ['orders.read', 'no.such.scope'], ...ofPartner },
    ],
  });
  keycloak.service('b', {
    baseUrl: issuerAt(0),
    audience: { [issuerAt(0)]: 'service-b', [issuerAt(1)]: 'service-c' },
    scopes: ['orders.approve'],
  });
  const handlers = [
    {
      label: 'Orders.read (GET)',
      isClosed: false,
      permissions: ['orders.read'],
      anyOf: [],
      clients: ['demo-cli', { issuer: issuerAt(1), clientId: 'nobody-at-home' }],
    },
  ];
  return examine({ keycloak, handlers, notSeen: [] }, adminToken);
}

const SUBJECTS = () => [
  { client: 'service-a', issuer: issuerAt(0) },
  { client: 'service-a', issuer: issuerAt(1) },
];

describe('doctor with several issuers', () => {
  it('checks each issuer, and names the issuer of each finding', async () => {
    const examination = await looked();
    const of = (at: 0 | 1) => examination.findings.filter(({ issuer }) => issuer === issuerAt(at));
    expect(of(0).length + of(1).length).toBe(examination.findings.length);
    for (const at of [0, 1] as const) {
      expect(of(at)).toContainEqual(expect.objectContaining({ check: 'credentials', level: 'ok' }));
    }
    expect(of(0).map(({ message }) => message)).toContainEqual(expect.stringContaining('for service-b'));
    expect(of(1).map(({ message }) => message)).toContainEqual(expect.stringContaining('service-c'));
    expect(of(1).map(({ message }) => message)).not.toContainEqual(expect.stringContaining('as service-a itself'));
    expect(of(1)).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        message: expect.stringContaining('acceptedScopes names no.such.scope'),
      }),
    );
  });

  it('reports a fault only for the issuer that has the fault', async () => {
    const { findings } = await looked({ clientSecret: 'another-secret-than-its-own' });
    const faults = findings.filter(({ check, level }) => check === 'credentials' && level === 'error');
    expect(faults.map(({ issuer }) => issuer)).toEqual([issuerAt(1)]);
    expect(JSON.stringify(findings)).not.toContain('another-secret-than-its-own');
  });

  it('sends the token of an administrator only to the server of the first issuer', async () => {
    const carried: string[] = [];
    const onRequest = (message: unknown): void => {
      const { request } = message as { readonly request: { readonly origin: unknown; readonly headers: unknown } };
      if (JSON.stringify(request.headers).includes('an-administrators-token')) carried.push(String(request.origin));
    };
    subscribe('undici:request:create', onRequest);
    const { findings } = await looked({}, 'an-administrators-token');
    unsubscribe('undici:request:create', onRequest);
    expect(findings).toContainEqual(
      expect.objectContaining({ issuer: issuerAt(1), message: expect.stringContaining('reads only the first issuer') }),
    );
    expect([...new Set(carried)]).toEqual([new URL(issuerAt(0)).origin]);
  });

  it('prints a section for each issuer, and lists all issuers in its JSON output', async () => {
    const examination = await looked();
    const text = textReport(SUBJECTS(), examination, false);
    const [first = '', second = ''] = text.split(`\n\nservice-a at ${issuerAt(1)}\n`);
    expect(first.startsWith(`service-a at ${issuerAt(0)}\n`)).toBe(true);
    expect(first).not.toContain('no.such.scope');
    expect(second).toContain('no.such.scope');
    const json = JSON.parse(jsonReport(SUBJECTS(), examination)) as Readonly<Record<string, unknown>>;
    expect(json).toMatchObject({ issuer: issuerAt(0), others: [{ client: 'service-a', issuer: issuerAt(1) }] });
  });
});
