/** ScriptedServer: a server on the loopback that answers as a spec tells it to, and writes down what it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RecordedRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Script = (response: ServerResponse, request: RecordedRequest) => unknown;

export const raw =
  (status: number, body = '', headers: Readonly<Record<string, string>> = {}): Script =>
  (response) =>
    response.writeHead(status, headers).end(body);

export const json = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Script =>
  raw(status, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers });

/** Faults, each a script by itself. */
export const hang: Script = () => undefined;
export const breakOff: Script = (response) => response.destroy();
export const hangInBody: Script = (response) =>
  response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"active":');
export const truncated = raw(200, '{"active":true', { 'Content-Type': 'application/json' });
export const html = raw(200, '<html>It works</html>', { 'Content-Type': 'text/html' });
export const tooLarge = json({ active: false, padding: 'x'.repeat(1024 * 1024) });

export class ScriptedServer {
  readonly requests: RecordedRequest[] = [];
  readonly #scripts = new Map<string, Script>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<ScriptedServer> {
    const server = createServer((incoming, response) => {
      void (async () => {
        const { method = '', url = '', headers } = incoming;
        const request = { method, url, headers, body: await text(incoming) };
        scripted.requests.push(request);
        const script = scripted.#scripts.get(url.split('?')[0] ?? '') ?? raw(404);
        script(response, request);
      })();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const scripted = new ScriptedServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return scripted;
  }

  /** What is answered at `path` from now on; anything else is 404. */
  answer(path: string, script: Script): this {
    this.#scripts.set(path, script);
    return this;
  }

  /** One script a request; the last one stays. */
  answerInTurn(path: string, ...scripts: readonly Script[]): this {
    let turn = 0;
    return this.answer(path, (response, request) => scripts[Math.min(turn++, scripts.length - 1)]?.(response, request));
  }

  to(path: string): readonly RecordedRequest[] {
    return this.requests.filter(({ url }) => url.split('?')[0] === path);
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The paths of Keycloak's realm `test`. */
export const REALM = '/realms/test';
export const DISCOVERY = `${REALM}/.well-known/openid-configuration`;
export const TOKEN = `${REALM}/protocol/openid-connect/token`;
export const INTROSPECTION = `${TOKEN}/introspect`;

/** A realm whose discovery answers well, with no token known: what a spec starts from, to bend one thing. */
export async function startScriptedRealm(): Promise<ScriptedServer> {
  const realm = await ScriptedServer.start();
  return realm.answer(DISCOVERY, json(discoveryOf(realm))).answer(INTROSPECTION, json({ active: false }));
}

export const discoveryOf = ({ url }: ScriptedServer): Record<string, string> => ({
  issuer: url + REALM,
  token_endpoint: url + TOKEN,
  introspection_endpoint: url + INTROSPECTION,
});

/** How service-b reaches that realm. */
export const connectionTo = ({ url }: ScriptedServer) => ({
  issuer: url + REALM,
  realmUrl: url + REALM,
  clientId: 'service-b',
  clientSecret: 'the-secret:of b',
  allowInsecureRequests: true,
  defaultScopes: ['profile', 'email'],
  timeoutMs: 500,
  maxConcurrentCalls: 20,
  maxQueuedCalls: 500,
  maxRetries: 0,
  circuitBreakerFailures: 1000,
  circuitBreakerPauseMs: 1000,
});

/** RFC 6749 §2.3.1: id and secret are form-encoded before they become user name and password. */
export const BASIC_OF_SERVICE_B = `Basic ${Buffer.from('service%2Db:the%2Dsecret%3Aof+b').toString('base64')}`;

/** A token endpoint that grants whatever is asked for: `issued-1`, `issued-2`, … */
export function issueTokens(realm: ScriptedServer, expiresIn: number | undefined = 60): ScriptedServer {
  let issued = 0;
  return realm.answer(TOKEN, (response, request) => {
    const answer = {
      access_token: `issued-${++issued}`,
      token_type: 'Bearer',
      expires_in: expiresIn,
      scope: new URLSearchParams(request.body).get('scope'),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    return json(answer)(response, request);
  });
}
