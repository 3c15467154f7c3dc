import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TokenKind, TokenLeakScanner } from 'nestjs-keycloak-s2s/testing';

export interface RecordedCall {
  readonly endpoint: 'token' | 'token/introspect' | 'other';
  readonly client: string | undefined;
  readonly path: string;
  readonly form: URLSearchParams;
  readonly status: number;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** The recorder keeps the Host header, so Keycloak's metadata names endpoints at the proxy. */
export class KeycloakRecorder {
  readonly calls: RecordedCall[] = [];
  readonly #underWay = new Map<string, { now: number; most: number }>();

  private constructor(
    private readonly server: Server,
    readonly baseUrl: string,
  ) {}

  static async start(keycloakUrl: string, scanner?: TokenLeakScanner): Promise<KeycloakRecorder> {
    const { hostname, port } = new URL(keycloakUrl);
    const server = createServer((incoming, outgoing) => {
      recorder.#count(incoming, outgoing);
      void (async () => {
        const sent = await text(incoming);
        const { method, url } = incoming;
        const forwarded = request({ hostname, port, method, path: url, headers: incoming.headers });
        forwarded.on('error', () => outgoing.destroy());
        forwarded.on('response', (response: IncomingMessage) => {
          void (async () => {
            const received = await text(response);
            const call = record(incoming, sent, response.statusCode ?? 0, received);
            recorder.calls.push(call);
            for (const [secret, kind] of secretsOf(call)) scanner?.addToken(secret, kind);
            const { 'transfer-encoding': _, ...headers } = response.headers;
            outgoing.writeHead(response.statusCode ?? 502, headers);
            outgoing.end(received);
          })();
        });
        forwarded.end(sent);
      })();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const recorder = new KeycloakRecorder(server, `http://localhost:${(server.address() as AddressInfo).port}`);
    return recorder;
  }

  /** Returns the maximum number of concurrent calls. An aborted call does not count. */
  mostAtOnce(endpoint?: RecordedCall['endpoint'], client?: string): number {
    return this.#underWay.get(nameOf(endpoint, client))?.most ?? 0;
  }

  #count(incoming: IncomingMessage, outgoing: ServerResponse): void {
    for (const name of [nameOf(), nameOf(endpointOf(incoming), clientOf(incoming))]) {
      const count = this.#underWay.get(name) ?? { now: 0, most: 0 };
      this.#underWay.set(name, count);
      count.now += 1;
      count.most = Math.max(count.most, count.now);
      outgoing.once('close', () => (count.now -= 1));
    }
  }

  async during<T>(action: () => Promise<T>): Promise<{ readonly result: T; readonly calls: readonly RecordedCall[] }> {
    const before = this.calls.length;
    const result = await action();
    return { result, calls: this.calls.slice(before) };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function secretsOf({ form, answer, status }: RecordedCall): (readonly [string, TokenKind])[] {
  const tokens = [answer['access_token'], answer['refresh_token'], answer['id_token']];
  const code = form.get('code');
  return [
    ...tokens.flatMap((token) => (typeof token === 'string' ? [[token, 'token'] as const] : [])),
    ...(code === null || status !== 200 ? [] : [[code, 'code'] as const]),
  ];
}

const nameOf = (endpoint?: RecordedCall['endpoint'], client?: string): string => `${endpoint ?? 'all'} ${client ?? ''}`;

function endpointOf({ url = '' }: IncomingMessage): RecordedCall['endpoint'] {
  const found = /\/openid-connect\/(token(?:\/introspect)?)$/.exec(url)?.[1];
  return (found as RecordedCall['endpoint'] | undefined) ?? 'other';
}

function clientOf({ headers }: IncomingMessage): string | undefined {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  const [id] = basic === undefined ? [] : Buffer.from(basic, 'base64').toString().split(':');
  // The client id is form-encoded in Basic credentials (RFC 6749 §2.3.1).
  return id === undefined ? undefined : decodeURIComponent(id);
}

function record(incoming: IncomingMessage, sent: string, status: number, received: string): RecordedCall {
  let answer: Readonly<Record<string, unknown>> = {};
  try {
    answer = JSON.parse(received) as typeof answer;
  } catch {
    // Some answers of Keycloak are not JSON.
  }
  return {
    endpoint: endpointOf(incoming),
    client: clientOf(incoming),
    path: incoming.url ?? '',
    form: new URLSearchParams(sent),
    status,
    answer,
  };
}
