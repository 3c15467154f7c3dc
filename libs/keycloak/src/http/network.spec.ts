import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { canMakeCertificates, TestAuthority, type KeyPair } from '../../spec-support/certificates.js';
import { CaFile } from './ca-file.js';
import { EnvironmentProxies } from './environment-proxies.js';
import { Network, type Connections } from './network.js';
import { HttpFailure, sendRequest } from './send-request.js';

const withOpenssl = canMakeCertificates ? describe : describe.skip;

const stopped: (() => void)[] = [];
const lines: { message: string; fields: object }[] = [];
const say = (message: string, fields: object): void => void lines.push({ message, fields });

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopped.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server);
}

async function tlsServer({ key, cert }: KeyPair, close = false): Promise<number> {
  return listening(
    // By default, current OpenSSL versions do not send a weak certificate.
    createHttpsServer({ key, cert, ciphers: 'DEFAULT@SECLEVEL=0' }, (request, response) => {
      response.setHeader('connection', close ? 'close' : 'keep-alive').end(`TLS: ${request.headers.host}`);
    }),
  );
}

async function ask(connections: Connections, origin: string, timeoutMs = 4000, host?: string): Promise<string> {
  const headers = ['authorization', 'Bearer the-token', ...(host === undefined ? [] : ['host', host])];
  const request = {
    origin,
    method: 'GET',
    path: '/x',
    headers,
    body: undefined,
    timeoutMs,
    signal: undefined,
  } as const;
  try {
    return String((await sendRequest(connections, { ...request, maxResponseBytes: 10_000 })).body);
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    return error.detail === undefined ? error.reason : `${error.reason} (${error.detail})`;
  }
}

function issuedByTwinOf({ name }: TestAuthority): KeyPair {
  const twin = new TestAuthority(name);
  const pair = twin.issue();
  twin.remove();
  return pair;
}

interface Way {
  readonly caFile?: CaFile;
  readonly variables?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const networkOf = ({ variables = {} }: Way): Network =>
  new Network({ log: say, warn: say }, new EnvironmentProxies(variables));

const WAYS = {
  'to a service': (origin: string, way: Way = {}): Connections =>
    networkOf(way).toService({
      name: 'service-b',
      baseUrl: origin,
      timeoutMs: way.timeoutMs ?? 4000,
      maxConcurrentCalls: 4,
      tls: { caFile: way.caFile },
    }),
  'to the authorization server': (origin: string, way: Way = {}): Connections =>
    networkOf(way).toAuthorizationServer({
      realmUrl: `${origin}/realms/test`,
      timeoutMs: way.timeoutMs ?? 4000,
      tls: { caFile: way.caFile },
    }),
};

beforeEach(() => {
  lines.length = 0;
});
afterEach(() => {
  for (const stop of stopped.splice(0)) stop();
});

withOpenssl.each(Object.entries(WAYS))('connections %s', (_, connections) => {
  let house: TestAuthority;
  let other: TestAuthority;
  let good: KeyPair;
  beforeAll(() => {
    [house, other] = [new TestAuthority(), new TestAuthority('another-authority')];
    good = house.issue();
  });
  afterAll(() => {
    for (const authority of [house, other]) authority.remove();
  });

  it('accept a certificate of an authority in the CA file', async () => {
    const origin = `https://localhost:${await tlsServer(good)}`;
    const caFile = CaFile.read(house.caFile());
    expect(await ask(connections(origin, { caFile }), origin)).toBe(`TLS: ${new URL(origin).host}`);
    const several = CaFile.read(other.caFile(house));
    expect(await ask(connections(origin, { caFile: several }), origin)).toContain('TLS');
  });

  it('verify the certificate against the host in the URL, and ignore the Host header', async () => {
    const origin = `https://localhost:${await tlsServer(good)}`;
    const sent = connections(origin, { caFile: CaFile.read(house.caFile()) });
    expect(await ask(sent, origin, undefined, 'elsewhere.example:4711')).toBe('TLS: elsewhere.example:4711');
    const elsewhere = `https://localhost:${await tlsServer(house.issue('DNS:elsewhere.example'))}`;
    const misled = connections(elsewhere, { caFile: CaFile.read(house.caFile()) });
    expect(await ask(misled, elsewhere, undefined, 'elsewhere.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it.each<[string, string, (own: TestAuthority, others: TestAuthority) => [KeyPair, TestAuthority | undefined]]>([
    ['an untrusted authority', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', (own, others) => [own.issue(), others]],
    ['no CA file', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', (own) => [own.issue(), undefined]],
    ['the wrong host name', 'ERR_TLS_CERT_ALTNAME_INVALID', (own) => [own.issue('DNS:elsewhere.example'), own]],
    ['an expired certificate', 'CERT_HAS_EXPIRED', (own) => [own.issue(undefined, { expired: true }), own]],
    ['a self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', (own) => [own.selfSigned(), own]],
    ['another authority of the same name', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', (own) => [issuedByTwinOf(own), own]],
    [
      'a certificate that is signed by SHA-1',
      'certificate_refused (CA signature digest algorithm too weak)',
      (own) => [own.issue(undefined, { digest: 'sha1' }), own],
    ],
  ])('fail with %s, regardless of NODE_TLS_REJECT_UNAUTHORIZED', async (__, reason, of) => {
    const [pair, trusted] = of(house, other);
    const origin = `https://localhost:${await tlsServer(pair)}`;
    const way = trusted === undefined ? {} : { caFile: CaFile.read(trusted.caFile()) };
    expect(await ask(connections(origin, way), origin)).toBe(reason);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await ask(connections(origin, way), origin)).toBe(reason);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('trust added authorities and reject removed authorities without a restart', async () => {
    const origin = `https://localhost:${await tlsServer(other.issue(), true)}`;
    const path = house.caFile();
    const sent = connections(origin, { caFile: CaFile.read(path) });
    expect(await ask(sent, origin)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    writeFileSync(path, house.certificate + other.certificate);
    expect(await ask(sent, origin)).toContain('TLS');
    writeFileSync(path, house.certificate);
    expect(await ask(sent, origin)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(lines.map(({ fields }) => fields)).toEqual([
      { file: path, certificates: 2 },
      { file: path, certificates: 1 },
    ]);
  });

  it('use the last content of a CA file that is missing, and log the problem once', async () => {
    const origin = `https://localhost:${await tlsServer(good, true)}`;
    const path = house.caFile();
    const sent = connections(origin, { caFile: CaFile.read(path) });
    rmSync(path);
    expect([await ask(sent, origin), await ask(sent, origin)].join()).toMatch(/TLS.*TLS/);
    expect(lines).toEqual([
      {
        message: expect.stringContaining('Connections keep using the last ones') as unknown,
        fields: { file: path, reason: "can't be read (ENOENT)" },
      },
    ]);
  });

  describe('through a proxy', () => {
    let asked: string[];
    let status: number | 'silence';
    let proxyPort: number;
    let variables: Readonly<Record<string, string>>;

    beforeEach(async () => {
      [asked, status] = [[], 200];
      const proxy = createHttpServer((request, response) => {
        asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
        if (status !== 'silence') response.writeHead(status).end('by the proxy');
      });
      proxy.on('connect', ({ url = '', headers }, socket) => {
        asked.push(`CONNECT ${url} ${headers['proxy-authorization'] ?? ''}`);
        if (headers.authorization !== undefined) asked.push('saw a token');
        socket.on('error', () => undefined);
        if (status === 'silence') return;
        socket.write(`HTTP/1.1 ${status} As set\r\n\r\n`);
        if (status !== 200) return void socket.end();
        const [host, port] = url.split(':');
        const onward = connect(Number(port), host);
        onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
        socket.on('close', () => onward.destroy());
        socket.pipe(onward).pipe(socket);
      });
      proxyPort = await listening(proxy);
      const url = `http://alice:p%40ss@127.0.0.1:${proxyPort}`;
      variables = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, HTTPS_PROXY: url };
    });

    const CREDENTIALS = `Basic ${Buffer.from('alice:p@ss').toString('base64')}`;

    it('use a tunnel to an HTTPS server, and verify the certificate of the server', async () => {
      const port = await tlsServer(good);
      const origin = `https://localhost:${port}`;
      const caFile = CaFile.read(house.caFile());
      const sent = connections(origin, { caFile, variables });
      expect(await ask(sent, origin)).toBe(`TLS: localhost:${port}`);
      await sleep(50);
      expect(await ask(sent, origin)).toBe(`TLS: localhost:${port}`);
      expect(asked).toEqual([`CONNECT localhost:${port} ${CREDENTIALS}`]);
      expect(await ask(connections(origin, { variables }), origin)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
      expect(lines[0]).toEqual({
        message: expect.stringMatching(/^Calls to (service-b|Keycloak) go through a proxy$/) as unknown,
        fields: { proxy: `127.0.0.1:${proxyPort}` },
      });
      expect(JSON.stringify(lines)).not.toMatch(/alice|p@ss|p%40ss/);
    });

    it('send the request to the proxy if the server does not use TLS', async () => {
      const origin = 'http://service.example:8080';
      expect(await ask(connections(origin, { variables }), origin)).toBe('by the proxy');
      expect(asked).toEqual([`GET ${origin}/x ${CREDENTIALS}`]);
    });

    it.each([407, 403, 502] as const)('fail with proxy_refused when the proxy answers %i', async (refusal) => {
      status = refusal;
      const origin = 'https://service.example';
      expect(await ask(connections(origin, { variables }), origin)).toBe(`proxy_refused (answered_${refusal})`);
      const plain = 'http://service.example';
      const answer = refusal === 407 ? 'proxy_refused (answered_407)' : 'by the proxy';
      expect(await ask(connections(plain, { variables }), plain)).toBe(answer);
    });

    it('fail with proxy_timeout, not with a timeout of the call, if the proxy does not answer', async () => {
      status = 'silence';
      const origin = 'https://service.example';
      expect(await ask(connections(origin, { variables, timeoutMs: 400 }), origin, 30_000)).toBe('proxy_timeout');
    });

    it('fail with the system error code when the proxy is unreachable', async () => {
      const nowhere = { ...variables, HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' };
      for (const origin of ['https://service.example', 'http://service.example']) {
        expect(await ask(connections(origin, { variables: nowhere }), origin)).toBe('proxy_unreachable (ECONNREFUSED)');
      }
    });

    it('bypass the proxy for a host in NO_PROXY', async () => {
      const origin = `https://localhost:${await tlsServer(good)}`;
      const way = { caFile: CaFile.read(house.caFile()), variables: { ...variables, NO_PROXY: 'localhost' } };
      expect(await ask(connections(origin, way), origin)).toContain('TLS');
      expect([asked, lines]).toEqual([[], []]);
    });
  });
});
