import type { IncomingMessage, ServerResponse } from 'node:http';
import { ADMIN_PATH, adminApi } from './admin/admin-api.js';
import { MASTER } from './realm/master-realm.js';
import { authorizationEndpoint } from './browser/authorization-endpoint.js';
import { browserRefusalAsAnswer } from './browser/browser-refusal.js';
import type { CountingCalls } from './http/call-counter.js';
import { presentedCredentials } from './grants/client-authentication.js';
import { discoveryEndpoint, jwksEndpoint, realmPage } from './tokens/discovery-endpoint.js';
import { protocolPath, realmPath, SERVER_METADATA, serverMetadataPath } from './realm/realm-paths.js';
import { confirmLogoutEndpoint, confirmLogoutPath, endSessionEndpoint } from './browser/end-session-endpoint.js';
import type { FaultBoard, FaultyEndpoint } from './http/fault.js';
import { json, readCall, type HttpAnswer, type HttpCall } from './http/http-call.js';
import { errorPage } from './browser/pages.js';
import { refuseByRealm, type RealmCheck } from './refuse-by-realm.js';
import { introspectionEndpoint } from './tokens/introspection-endpoint.js';
import type { LastRequests } from './http/last-requests.js';
import { loginEndpoint, loginPath } from './browser/login-endpoint.js';
import { OAuthRefusal } from './grants/oauth-refusal.js';
import { revocationEndpoint } from './tokens/revocation-endpoint.js';
import { metadataEndpoint } from './ssf/metadata-endpoint.js';
import { ssfRefusalAsAnswer } from './ssf/ssf-answer.js';
import { ssfRoute } from './ssf/ssf-endpoint.js';
import { metadataPath } from './streams/transmitter.js';
import { send, sendFaulty } from './http/send-answer.js';
import type { ServerRealms, ServerState } from './state/server-state.js';
import { grantNameOf, tokenEndpoint } from './tokens/token-endpoint.js';
import { userinfoEndpoint } from './tokens/userinfo-endpoint.js';

type Endpoint = (server: ServerState, call: HttpCall) => HttpAnswer | Promise<HttpAnswer>;

interface Route {
  readonly methods?: readonly ('GET' | 'POST')[];
  readonly name?: FaultyEndpoint;
  readonly endpoint: Endpoint;
  readonly checks?: RealmCheck;
  readonly isForBrowsers?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

const EITHER = ['GET', 'POST'] as const;

const BOTH = 'https and enabled';
const OF_BROWSERS = { checks: BOTH, isForBrowsers: true } as const;

/** RFC 6749 §5.1. */
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' };

/** Calls to the admin REST API and to the realm `master` are not counted and get no injected faults. */
export function listener(realms: ServerRealms, calls: CountingCalls, faults: FaultBoard, requests: LastRequests) {
  const { main } = realms;
  const routes = routesOf(main.realm.name);
  const masterRoutes = routesOf(MASTER);

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const call = await readCall(request);
      const route: Route | undefined = routes.get(call.path) ?? ssfRoute(main.realm.name, call.path);
      const answer = async () => {
        if (call.path.startsWith(ADMIN_PATH)) return adminApi(realms, call);
        const ofMaster = masterRoutes.get(call.path);
        if (route === undefined && (ofMaster !== undefined || isWithin(realmPath(MASTER), call.path))) {
          return answerTo(await realms.master(), ofMaster, call);
        }
        return answerTo(main, route, call);
      };
      if (route?.name !== undefined) {
        count(calls, route.name, call);
        requests.note(route.name, call);
      }
      const fault = route?.name === undefined ? undefined : faults.take(route.name);
      if (fault === undefined) send(response, await answer());
      else await sendFaulty(response, fault, answer);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else send(response, json(500, { error: 'server_error', error_description: String(error) }));
    }
  };
}

function routesOf(realm: string): ReadonlyMap<string, Route> {
  const protocol = protocolPath(realm);
  const discovery = { methods: ['GET'], name: 'discovery', endpoint: discoveryEndpoint, checks: 'https' } as const;
  return new Map<string, Route>([
    [realmPath(realm), { methods: ['GET'], endpoint: realmPage }],
    [`${realmPath(realm)}/.well-known/openid-configuration`, discovery],
    [`${realmPath(realm)}${SERVER_METADATA}`, discovery],
    [serverMetadataPath(realm), discovery],
    [metadataPath(realm), { methods: ['GET'], name: 'ssfMetadata', endpoint: metadataEndpoint }],
    [`${protocol}/certs`, { methods: ['GET'], name: 'jwks', endpoint: jwksEndpoint, checks: 'https' }],
    [
      `${protocol}/token`,
      { methods: ['POST'], name: 'token', endpoint: tokenEndpoint, checks: BOTH, headers: NOT_STORED },
    ],
    [
      `${protocol}/token/introspect`,
      { methods: ['POST'], name: 'introspection', endpoint: introspectionEndpoint, checks: BOTH },
    ],
    [`${protocol}/userinfo`, { methods: EITHER, endpoint: userinfoEndpoint }],
    [`${protocol}/revoke`, { methods: ['POST'], name: 'revocation', endpoint: revocationEndpoint, checks: BOTH }],
    [`${protocol}/auth`, { methods: EITHER, name: 'authorization', endpoint: authorizationEndpoint, ...OF_BROWSERS }],
    [loginPath(realm), { methods: EITHER, endpoint: loginEndpoint, ...OF_BROWSERS }],
    [`${protocol}/logout`, { methods: EITHER, name: 'logout', endpoint: endSessionEndpoint }],
    [confirmLogoutPath(realm), { methods: ['POST'], endpoint: confirmLogoutEndpoint }],
  ]);
}

async function answerTo(server: ServerState, route: Route | undefined, call: HttpCall): Promise<HttpAnswer> {
  if (route === undefined) return json(404, { error: whyNotFound(server.realm.name, call.path) });
  if (route.methods?.some((method) => method === call.method) === false)
    return json(405, { error: 'HTTP 405 Method Not Allowed' });
  const answer = await refusalAsAnswer(server, route, () => {
    refuseByRealm(server.realm, route.checks);
    return route.endpoint(server, call);
  });
  return { ...answer, headers: { ...answer.headers, ...route.headers } };
}

function whyNotFound(realm: string, path: string): string {
  if (/^\/\.well-known\/[^/]+\/realms\//.test(path)) {
    return path.startsWith(SERVER_METADATA) ? 'Realm does not exist' : 'HTTP 404 Not Found';
  }
  if (!path.startsWith('/realms/')) return 'Unable to find matching target resource method';
  return isWithin(realmPath(realm), path) ? 'HTTP 404 Not Found' : 'Realm does not exist';
}

const isWithin = (realm: string, path: string): boolean => path === realm || path.startsWith(`${realm}/`);

async function refusalAsAnswer(
  { issuer }: ServerState,
  { isForBrowsers = false }: Route,
  endpoint: () => HttpAnswer | Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  try {
    return await endpoint();
  } catch (refusal) {
    const answer = browserRefusalAsAnswer(issuer, refusal) ?? ssfRefusalAsAnswer(refusal);
    if (answer !== undefined) return answer;
    if (!(refusal instanceof OAuthRefusal)) throw refusal;
    if (isForBrowsers) return errorPage(refusal.description);
    return json(refusal.status, { error: refusal.error, error_description: refusal.description });
  }
}

function count(calls: CountingCalls, name: FaultyEndpoint, call: HttpCall): void {
  const clientId = presentedCredentials(call).clientId ?? call.query.get('client_id') ?? undefined;
  if (name === 'token') calls.countGrant(grantNameOf(call), clientId);
  else calls.countEndpoint(name, clientId);
}
