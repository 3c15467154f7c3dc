/** Takes each request to its endpoint: counts it, fails it if a test wants that, and writes refusals as Keycloak does. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CountingCalls } from './call-counter.js';
import { presentedCredentials } from './client-authentication.js';
import { discoveryEndpoint, jwksEndpoint, protocolPath, realmPage, realmPath } from './discovery.js';
import type { FaultBoard, FaultyEndpoint } from './fault.js';
import { json, readCall, type HttpAnswer, type HttpCall } from './http-call.js';
import { introspectionEndpoint } from './introspection-endpoint.js';
import type { LastRequests } from './last-requests.js';
import { OAuthRefusal } from './oauth-refusal.js';
import { logoutEndpoint, revocationEndpoint } from './revocation-endpoint.js';
import { send, sendFaulty } from './send-answer.js';
import type { ServerState } from './server-state.js';
import { grantNameOf, tokenEndpoint } from './token-endpoint.js';

type Endpoint = (server: ServerState, call: HttpCall) => HttpAnswer | Promise<HttpAnswer>;

interface Route {
  readonly method: 'GET' | 'POST';
  /** By which name it is counted and made to fail. */
  readonly name?: FaultyEndpoint;
  readonly endpoint: Endpoint;
  /** Headers of every answer, refusals too. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 6749 §5.1. */
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' };

export function listener(server: ServerState, calls: CountingCalls, faults: FaultBoard, requests: LastRequests) {
  const routes = routesOf(server.realm.name);

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const call = await readCall(request);
      const route = routes.get(call.path);
      const answer = () => answerTo(server, route, call);
      if (route?.name !== undefined) {
        count(calls, route.name, call);
        requests.note(route.name, call);
      }
      const fault = route?.name === undefined ? undefined : faults.take(route.name);
      if (fault === undefined) send(response, await answer());
      else await sendFaulty(response, fault, answer);
    } catch (error) {
      // A client that went away while it sent or was answered is no failure of ours; anything else a test must see.
      if (response.headersSent || response.destroyed) response.destroy();
      else send(response, json(500, { error: 'server_error', error_description: String(error) }));
    }
  };
}

function routesOf(realm: string): ReadonlyMap<string, Route> {
  const protocol = protocolPath(realm);
  return new Map<string, Route>([
    [realmPath(realm), { method: 'GET', endpoint: realmPage }],
    [
      `${realmPath(realm)}/.well-known/openid-configuration`,
      { method: 'GET', name: 'discovery', endpoint: discoveryEndpoint },
    ],
    [`${protocol}/certs`, { method: 'GET', name: 'jwks', endpoint: jwksEndpoint }],
    [`${protocol}/token`, { method: 'POST', name: 'token', endpoint: tokenEndpoint, headers: NOT_STORED }],
    [`${protocol}/token/introspect`, { method: 'POST', name: 'introspection', endpoint: introspectionEndpoint }],
    [`${protocol}/revoke`, { method: 'POST', name: 'revocation', endpoint: revocationEndpoint }],
    [`${protocol}/logout`, { method: 'POST', name: 'logout', endpoint: logoutEndpoint }],
  ]);
}

async function answerTo(server: ServerState, route: Route | undefined, call: HttpCall): Promise<HttpAnswer> {
  const realm = realmPath(server.realm.name);
  if (route === undefined) {
    const isOurs = call.path === realm || call.path.startsWith(`${realm}/`) || !call.path.startsWith('/realms/');
    return json(404, { error: isOurs ? 'HTTP 404 Not Found' : 'Realm does not exist' });
  }
  if (call.method !== route.method) return json(405, { error: 'HTTP 405 Method Not Allowed' });
  const answer = await refusalAsAnswer(() => route.endpoint(server, call));
  return { ...answer, headers: { ...answer.headers, ...route.headers } };
}

async function refusalAsAnswer(endpoint: () => HttpAnswer | Promise<HttpAnswer>): Promise<HttpAnswer> {
  try {
    return await endpoint();
  } catch (refusal) {
    if (!(refusal instanceof OAuthRefusal)) throw refusal;
    return json(refusal.status, { error: refusal.error, error_description: refusal.description });
  }
}

function count(calls: CountingCalls, name: FaultyEndpoint, call: HttpCall): void {
  const { clientId } = presentedCredentials(call);
  if (name === 'token') calls.countGrant(grantNameOf(call), clientId);
  else calls.countEndpoint(name, clientId);
}
