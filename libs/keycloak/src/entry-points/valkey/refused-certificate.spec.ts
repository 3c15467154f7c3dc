import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canMakeCertificates, TestAuthority } from '../../../spec-support/certificates.js';
import { ValkeyClient } from './valkey-client.js';

const withOpenssl = canMakeCertificates ? describe : describe.skip;

withOpenssl('a server whose certificate', () => {
  let authority: TestAuthority;
  beforeAll(() => {
    authority = new TestAuthority();
  });
  afterAll(() => authority.remove());

  it.each([
    ['names another host', 'err_tls_cert_altname_invalid', { host: 'DNS:elsewhere.example', digest: 'sha256' }],
    ['is signed with SHA-1', 'certificate_refused', { host: 'DNS:localhost', digest: 'sha1' }],
  ])('%s is rejected: %s', async (_, reason, { host, digest }) => {
    const { key, cert } = authority.issue(host, { digest });
    const server = createServer({ key, cert, ciphers: 'DEFAULT@SECLEVEL=0' }, (socket) => socket.destroy());
    server.listen(0, '127.0.0.1').on('tlsClientError', () => undefined);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new ValkeyClient({ url: `valkeys://localhost:${port}`, ca: authority.certificate });
    await expect(client.open()).rejects.toThrow(reason);
    await client.close();
    server.close();
  });
});
