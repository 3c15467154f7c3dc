import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { createAuthorizationServer } from '../src/authorization-server/create-authorization-server.js';
import { systemClock, type Clock } from '../src/caching/clock.js';
import { TokenSource } from '../src/client/token-source.js';
import { TokenSourceLog, type Log } from '../src/client/token-source-log.js';
import type { IssuedToken } from '../src/protocol/issued-token.js';
import type { RevocationList } from '../src/revocation/revocation-list.js';
import { connectionTo, HeldCalls } from './test-realm.js';
import { endpointOf, requestOf, type TokenForm } from './token-forms.js';

export interface HeldTokenSource {
  readonly tokens: TokenSource;
  readonly requests: HeldCalls<[TokenForm], IssuedToken>;
}

interface Parts {
  readonly clock?: Clock;
  readonly maxCachedTokens?: number;
  readonly log?: Log;
  readonly revocations?: Pick<RevocationList, 'denies'>;
}

const NONE_DENIED = { denies: () => false };
const SILENT = { log: () => undefined };

export function heldTokenSource(
  realm: RunningAuthorizationServer,
  { clock = systemClock, maxCachedTokens = 100, log = SILENT, revocations = NONE_DENIED }: Parts = {},
): HeldTokenSource {
  const connection = connectionTo(realm, 'service-a');
  const requests = new HeldCalls(requestOf(createAuthorizationServer(connection, systemClock).tokenEndpoint));
  const options = { ...connection, minRemainingLifetimeSeconds: 10, maxCachedTokens };
  return {
    requests,
    tokens: new TokenSource(endpointOf(requests.run), options, clock, new TokenSourceLog(log), revocations),
  };
}
