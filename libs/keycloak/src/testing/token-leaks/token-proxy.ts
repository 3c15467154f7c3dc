import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TokenListener } from './passing-tokens.js';
import { codeIn, codeOf, tokensIn } from './token-answers.js';

export interface TokenProxy {
  /** The base URL of the proxy: `http://localhost:<port>`, without a trailing slash. */
  readonly baseUrl: string;
  stop(): Promise<void>;
}

/** Forwards the `Host` header, so that Keycloak publishes endpoints that lead through the proxy. */
export async function startTokenProxy(target: string, listener: TokenListener): Promise<TokenProxy> {
  const { protocol } = new URL(target);
  const agent = protocol === 'https:' ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  const server = http
    .createServer((incoming, outgoing) => {
      pass(incoming, outgoing, { target, agent }, listener).catch(() => outgoing.destroy());
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://localhost:${(server.address() as AddressInfo).port}`,
    async stop() {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}

async function pass(
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
  { target, agent }: { readonly target: string; readonly agent: http.Agent },
  listener: TokenListener,
): Promise<void> {
  const sent = await buffer(incoming);
  const redeemed = codeIn(sent.toString());
  if (redeemed !== undefined) listener.code(redeemed);
  const url = new URL(target);
  const { request } = url.protocol === 'https:' ? https : http;
  const forwarded = request({
    hostname: url.hostname.replaceAll(/[[\]]/g, ''),
    port: url.port,
    method: incoming.method,
    path: incoming.url,
    // Asks for an uncompressed response, so that the proxy can read the response.
    headers: { ...incoming.headers, 'accept-encoding': 'identity' },
    agent,
  }).end(sent);
  outgoing.once('close', () => forwarded.destroy());
  const [answer] = (await once(forwarded, 'response')) as [http.IncomingMessage];
  const received = await buffer(answer);
  for (const token of tokensIn(received.toString())) listener.token(token);
  const code = codeOf(answer.headers.location);
  if (code !== undefined) listener.code(code);
  const { 'transfer-encoding': _, connection: __, ...headers } = answer.headers;
  outgoing.writeHead(answer.statusCode ?? 502, headers).end(received);
}
