import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { CLIENT_SECRET, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { composeKeycloak } from '../module/compose-keycloak.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { protectedResourceFindings } from './protected-resource-findings.js';

const URL_OF_TOOLS = 'https://tools.example.com/mcp';

let realm: RunningAuthorizationServer;
beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());

type Parts = Parameters<typeof protectedResourceFindings>[0];

const answering = (isOn: boolean) => ({ refusesUnknownResource: async () => isOn });

const refusing = (failure: Error) => ({
  refusesUnknownResource: async () => {
    throw failure;
  },
});

async function levels(
  probe: object,
  { clientId = 'tools', hasServiceAccount = true, isDescribed = true } = {},
): Promise<readonly string[]> {
  const options = { clientId, protectedResource: isDescribed ? [{ resource: URL_OF_TOOLS }] : [] };
  const parts = { options, probe } as unknown as Parts;
  return (await protectedResourceFindings(parts, ['openid'], hasServiceAccount)).map(({ level }) => level);
}

describe('a checkup of a protected resource', () => {
  it('notes that the realm lists offline_access (row 41), and not that resource-indicators is on', async () => {
    const { issuer } = realm;
    const options = { issuer, clientId: 'service-a', clientSecret: CLIENT_SECRET, allowInsecureRequests: true };
    const messagesOf = async (more: object): Promise<readonly string[]> =>
      (await composeKeycloak({ ...options, ...more }).issuers[0].checkup.run())
        .filter(({ level }) => level !== 'ok')
        .map(({ level, message }) => `${level}: ${message}`);
    const without = await messagesOf({});
    const added = (await messagesOf({ protectedResource: { resource: URL_OF_TOOLS } })).filter(
      (message) => !without.includes(message),
    );
    expect(added).toEqual([expect.stringMatching(/^note: The metadata of the realm list offline_access, so MCP/)]);
  });

  it('warns that resource-indicators is on, unless the client id is the URL of the resource (row 40)', async () => {
    expect(await levels(answering(true))).toEqual(['warning']);
    expect(await levels(answering(true), { clientId: URL_OF_TOOLS })).toEqual(['ok']);
    expect(await levels(answering(false))).toEqual([]);
  });

  it('asks nothing without a service account or a resource', async () => {
    expect(await levels({}, { hasServiceAccount: false })).toEqual([]);
    expect(await levels({}, { isDescribed: false })).toEqual([]);
  });

  it('says nothing about resource-indicators if Keycloak refuses for another reason', async () => {
    const reason = 'answered_503_unexpected_status';
    expect(
      await levels(refusing(new AuthorizationServerError('authorization_server_unavailable', { reason }))),
    ).toEqual([]);
    await expect(levels(refusing(new TypeError('a bug')))).rejects.toThrow('a bug');
  });
});
