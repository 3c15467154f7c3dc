import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { composeKeycloak } from '../module/compose-keycloak.js';
import type { Finding } from './finding.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function reach(answer: RequestListener, path = ''): Promise<readonly Finding[]> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server?.once('listening', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const keycloak = composeKeycloak({
    issuer: 'http://127.0.0.1:9/realms/test',
    clientId: 'service-a',
    clientSecret: 'a-secret',
    allowInsecureRequests: true,
  });
  keycloak.service('service-b', { baseUrl, audience: 'service-b' });
  return keycloak.issuers[0].checkup.reach();
}

const serviceNamed =
  (name: string, seesAuthorization = true): RequestListener =>
  ({ url, headers }, response) => {
    if (!url?.endsWith('/health/details')) return void response.writeHead(404).end('{}');
    const hasToken = headers.authorization !== undefined && seesAuthorization;
    const error = hasToken ? ', error="invalid_token"' : '';
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="${name}"${error}` })
      .end(JSON.stringify({ code: hasToken ? 'invalid_token' : 'missing_token' }));
  };

describe('the check that a called service is reachable', () => {
  it.each<[string, RequestListener]>([
    ['the service itself', serviceNamed('service-b')],
    ['a service without the health route', (_, response) => void response.writeHead(404).end()],
    [
      'a service of another kind',
      (_, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer realm="api"' }).end('{"error":"no"}'),
    ],
    ['an HTML page', (_, response) => void response.end('<html>')],
    ['a connection that breaks', ({ url, socket }, response) => (url === '/' ? response.end() : socket.destroy())],
  ])('succeeds for %s', async (_, answer) => {
    expect(await reach(answer)).toMatchObject([{ check: 'next_service', level: 'ok' }]);
  });

  it('fails if another service answers, and names the service that answers (row 33)', async () => {
    const [finding] = await reach(serviceNamed('service-c'), '/behind');
    expect(finding).toMatchObject({ check: 'next_service', level: 'error' });
    expect(finding?.message).toMatch(/says that it is service-c, but tokens for service-b have the audience service-b/);
    expect(finding?.cure).toMatch(/Compare the host and the port .* client id of service-c: correct its clientId/);
  });

  it('fails if the Authorization header does not reach the called service (row 34)', async () => {
    const [finding] = await reach(serviceNamed('service-b', false));
    expect(finding).toMatchObject({ check: 'next_service', level: 'error' });
    expect(finding?.cure).toMatch(/removes the Authorization header/);
  });
});
