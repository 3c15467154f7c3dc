import { expect, it } from '@jest/globals';
import type { Checkup } from '../../checkup/checkup.js';
import { ownClientIdFindings, realmClientIdFindings } from './client-id-findings.js';
import type { RealmSnapshot } from '../administrator/realm-snapshot.js';

const URL_OF_TOOLS = 'https://tools.example.com/mcp';
const HANDLERS = [{ label: 'Tools.use', isClosed: false, permissions: ['tools.use'], anyOf: [], clients: [] }];

it.each([
  ['is an error with a cure of its own if the URL is the resource', URL_OF_TOOLS, /^The permissions .* for the URL/],
  ['is the error of another client id otherwise', 'https://other.example.com', /^This service runs with the client id/],
])('a URL as the audience of the permissions %s', async (_, audience, message) => {
  const options = { clientId: 'tools', protectedResource: [{ resource: URL_OF_TOOLS }] };
  const checkup = { options, audiencesOf: async () => [audience] } as unknown as Checkup;
  const realm = { scopes: [{ name: 'tools.use', audiences: [{ audience }] }] } as unknown as RealmSnapshot;
  const expected = [{ check: 'client', level: 'error', message: expect.stringMatching(message) as unknown }];
  expect(await ownClientIdFindings(checkup, HANDLERS)).toMatchObject(expected);
  expect(realmClientIdFindings(realm, checkup, HANDLERS)).toMatchObject(expected);
});

it.each([
  [
    ['account', 'catalog'],
    ['This service runs with the client id tools, but the permissions of its routes (tools.use) are for catalog.'],
  ],
  [['account', 'tools'], []],
  [['account'], []],
])('clients of Keycloak itself are no audience of a permission: %j', async (audiences, messages) => {
  const checkup = {
    options: { clientId: 'tools', protectedResource: [] },
    audiencesOf: async () => audiences,
  } as unknown as Checkup;
  const found = await ownClientIdFindings(checkup, HANDLERS);
  expect(found.map(({ message }) => message)).toEqual(messages);
});
