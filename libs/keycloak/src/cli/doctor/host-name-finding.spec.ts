import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { composeKeycloak } from '../../module/compose-keycloak.js';
import { hostNameFinding } from './host-name-finding.js';

type Answer = (request: IncomingMessage) => { readonly status?: number; readonly body: unknown } | 'reset';

let server: Server;
let base: string;
let answer: Answer;
let asked: (string | undefined)[];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers.host);
    const given = answer(request);
    if (given === 'reset') return void request.socket.destroy();
    response.writeHead(given.status ?? 200, { 'content-type': 'application/json' });
    response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => void (asked = []));

const PATH = '/realms/shop';

async function found(issuer = base + PATH): Promise<string[]> {
  const options = {
    issuer,
    internalServerUrl: base,
    clientId: 'shop',
    clientSecret: 'hush',
    allowInsecureRequests: true,
  };
  const { issuers } = composeKeycloak({ ...options, maxRetries: 0 });
  return (await hostNameFinding(issuers[0])).map(({ level, message, cure = '' }) => `${level}: ${message} ${cure}`);
}

const named = (issuer: string) => (): { body: object } => ({ body: { issuer } });

describe("doctor's finding about Keycloak's host name", () => {
  it("is a warning if Keycloak takes the issuer's host from the Host header", async () => {
    answer = ({ headers: { host = '' } }) => ({ body: { issuer: `http://${host}${PATH}` } });
    expect(await found()).toEqual([
      `warning: Keycloak has no fixed host name and takes its issuer from each request. If a session ends by a request to another host name, this service refuses the event, since another issuer signed it. Start Keycloak with --hostname=${base}.`,
    ]);
    expect(asked).toEqual(['doctor.invalid:4711']);
  });

  it('is a warning if Keycloak takes only the port from the Host header', async () => {
    answer = ({ headers: { host = '' } }) => ({ body: { issuer: `http://127.0.0.1:${host.split(':')[1]}${PATH}` } });
    expect(await found()).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['names its usual issuer', () => named(base + PATH)()],
    ['is behind a proxy that forwards unknown names to another server', named('https://other.example/realms/shop')],
    ['is behind a proxy that refuses unknown names', () => ({ status: 421, body: 'http://doctor.invalid:4711' })],
    ['is behind a proxy that answers 503 to unknown names', () => ({ status: 503, body: {} })],
    ['ends the connection', () => 'reset'],
    ['does not answer with JSON', () => ({ body: 'doctor.invalid:4711' })],
    ['names an issuer that is not a URL', () => ({ body: { issuer: 'doctor.invalid' } })],
  ])('is absent if Keycloak %s', async (_, given) => {
    answer = given;
    expect(await found()).toEqual([]);
    expect(asked).toEqual(['doctor.invalid:4711']);
  });

  it('is absent if the configured issuer has the same port as the Host header of doctor', async () => {
    answer = named(`http://sso.example.com:4711${PATH}`);
    expect(await found(`http://sso.example.com:4711${PATH}`)).toEqual([]);
  });
});
