import { expect } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { SECRETS, type ConfidentialClient } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { FixedSecret } from '../../libs/keycloak/src/client-authentication/client-authentication.js';
import { composeKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { examine } from '../../libs/keycloak/src/cli/doctor/examine.js';
import { SignalFeed } from '../../libs/keycloak/src/entry-points/signals/signal-feed.js';
import type { SignalSource } from '../../libs/keycloak/src/entry-points/signals/signal-source.js';

export interface FeedSubject {
  readonly service: ConfidentialClient;
  readonly source: SignalSource;
  readonly pollsAs?: ConfidentialClient;
  readonly calls?: boolean;
}

export async function doctorOfFeed(
  server: ContractServer,
  { service, source, pollsAs, calls = false }: FeedSubject,
  asAdministrator = false,
): Promise<readonly string[]> {
  const { issuer, baseUrl, administrator } = server;
  const clientSecret = SECRETS[service];
  const keycloak = composeKeycloak({
    issuer,
    internalServerUrl: baseUrl,
    clientId: service,
    clientSecret,
    allowInsecureRequests: true,
  });
  // Uses Keycloak's address for the called service, because doctor only needs a server that answers.
  if (calls) keycloak.service('service-b', { baseUrl, audience: 'service-b', scopes: ['orders.approve'] });
  const pollingSecret = SECRETS[pollsAs ?? service];
  const client = pollsAs && { clientId: pollsAs, clientAuthentication: new FixedSecret(pollingSecret) };
  const options = { sources: [source], pollMs: 1000, client };
  // The constructor of SignalFeed registers the feed with the issuer.
  void new SignalFeed(keycloak.issuers[0], keycloak.revocations, options);
  const token = asAdministrator ? await administrator.token() : undefined;
  const { findings } = await examine({ keycloak, handlers: [], notSeen: [] }, token);
  const text = JSON.stringify(findings);
  for (const secret of [clientSecret, pollingSecret, 'eyJ']) expect(text).not.toContain(secret);
  return findings
    .filter(({ check }) => check === 'signals')
    .map(({ level, message, cure = '' }) => `${level}: ${message} ${cure}`.trim());
}

/** False for the embedded server, which implements only parts of the Admin API. */
const isReal = (): boolean => testServer().kind !== 'embedded';

const isBad = (line: string): boolean => /^(?:error|warning): /.test(line);

export async function expectFindings(
  server: ContractServer,
  subject: FeedSubject,
  own: readonly RegExp[],
  administrator: readonly RegExp[] = own,
): Promise<void> {
  const asWell = isReal() ? [[true, administrator] as const] : [];
  for (const [asAdministrator, expected] of [[false, own] as const, ...asWell]) {
    const bad = (await doctorOfFeed(server, subject, asAdministrator)).filter(isBad);
    expect(bad).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  }
}

export async function withServer(
  starting: Promise<ContractServer>,
  use: (server: ContractServer) => Promise<void>,
): Promise<void> {
  const server = await starting;
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}
