import { CachedIntrospection, RECHECK_OVERLAP_MS } from '../authorization-server/cached-introspection.js';
import {
  createAuthorizationServer,
  type AuthorizationServerCalls,
} from '../authorization-server/create-authorization-server.js';
import { junkToken } from '../authorization-server/junk-token.js';
import { StaleAnswers } from '../authorization-server/stale-answers.js';
import { AuthorizationServerHealth } from '../authorization-server/server-health.js';
import { awakeClock } from '../caching/clock.js';
import type { Clock } from '../caching/clock.js';
import { SharedLevel } from '../caching/shared-level.js';
import { Checkup } from '../checkup/checkup.js';
import type { RegisteredService } from '../checkup/checkup-parts.js';
import { TokenSource } from '../client/token-source.js';
import { TokenSourceLog } from '../client/token-source-log.js';
import { logCircuit, type ComponentLog } from '../resilience/component-log.js';
import type { Network } from '../http/network.js';
import type { KeycloakStatusSnapshot } from './keycloak-status.js';
import type { OptionsOfIssuer } from '../options/keycloak.options.js';
import { withoutSecrets } from '../protocol/loggable-text.js';
import { TOKEN_PROFILES } from '../protocol/token-profile.js';
import { runsInProduction } from '../protocol/production.js';
import { IssuerVerifier } from '../resource-server/issuer-verifier.js';
import { DoubtedTokens } from '../revocation/doubted-tokens.js';
import { HeldDenials } from '../revocation/held-denials.js';
import { Rechecks } from '../revocation/rechecks.js';
import { SignalProof } from '../revocation/signal-proof.js';
import { RevocationSharing } from '../revocation/revocation-sharing.js';
import { SharedFeed } from '../revocation/shared-feed.js';

export interface IssuerSurroundings {
  readonly clock: Clock;
  readonly network: Network;
  readonly loggers: (part: string) => ComponentLog;
  readonly services: () => readonly RegisteredService[];
}

export interface ComposedIssuer extends AuthorizationServerCalls {
  readonly issuer: string;
  readonly realmUrl: string;
  readonly options: OptionsOfIssuer;
  readonly clock: Clock;
  readonly loggers: (part: string) => ComponentLog;
  readonly denials: HeldDenials;
  readonly rechecks: Rechecks;
  readonly signals: SignalProof;
  readonly sharing: RevocationSharing;
  readonly feed: SharedFeed;
  readonly shared: SharedLevel | undefined;
  readonly stale: StaleAnswers | undefined;
  readonly tokens: TokenSource;
  readonly verifier: IssuerVerifier;
  readonly health: AuthorizationServerHealth;
  readonly checkup: Checkup;
  readonly cacheSizes: () => KeycloakStatusSnapshot['caches'];
}

export function composeIssuer(options: OptionsOfIssuer, surroundings: IssuerSurroundings): ComposedIssuer {
  const { network, loggers, services } = surroundings;
  const clock = awakeClock(surroundings.clock);
  const { issuer, realmUrl } = options;
  const profile = TOKEN_PROFILES[options.profile];
  const serverLog = loggers('AuthorizationServer');
  const clientAuthentication = options.clientAuthentication.connect({ clock, log: loggers('ClientAuthentication') });
  const server = createAuthorizationServer(
    { ...options, clientAuthentication },
    surroundings.clock,
    (kind, state) => logCircuit(serverLog, 'Keycloak', state, { kind }),
    network,
  );
  // Denials use the plain monotonic clock, because a changed system date must not end a denial early.
  const denials = new HeldDenials(options, surroundings.clock, loggers('RevocationList'), profile);
  const { introspectionTtlSeconds, introspectionTtlWithEventsSeconds = introspectionTtlSeconds } = options;
  const { introspectionStaleIfErrorSeconds: staleSeconds } = options;
  const stale = staleSeconds === 0 ? undefined : new StaleAnswers(options, clock, loggers('Introspection'));
  const rechecks = new Rechecks(
    (introspectionTtlWithEventsSeconds + staleSeconds) * 1000 + RECHECK_OVERLAP_MS,
    clock,
    profile,
    () => server.clockSkew.latestSeconds(),
  );
  options.sharedCache?.check(options);
  const sharedLog = loggers('SharedCache');
  const cache = options.sharedCache?.connect(options);
  const shared =
    cache &&
    new SharedLevel(cache, clock, (fault) =>
      sharedLog.error('The shared cache does not answer. This replica asks Keycloak instead', {
        ...fault,
      }),
    );
  const tokenLog = new TokenSourceLog(loggers('TokenSource'));
  const tokens = new TokenSource(server.tokenEndpoint, options, clock, tokenLog, denials, shared);
  const jwts = options.jwt && {
    signatures: options.jwt.connect({
      issuer,
      readKeys: server.keySet('jwks').read,
      clock,
      log: loggers('JwtVerification'),
    }),
    doubts: new DoubtedTokens(options, clock, profile),
  };
  rechecks.onRequired((recheck, at) => jwts?.doubts.add(recheck, at));
  const sharing = new RevocationSharing(denials, rechecks, options, clock, loggers('RevocationSharing'), {
    interrupt: () => signals.interrupt(),
    prove: (period) => signals.prove(period),
  });
  const signals = new SignalProof(clock, () => ['none', 'caught_up'].includes(sharing.status.state));
  signals.onGap(() => jwts?.doubts.doubtAll());
  signals.onBegun((sinceMs) => jwts?.doubts.doubtAll(sinceMs));
  const introspection = new CachedIntrospection(
    server.introspection,
    options,
    clock,
    (hash) => tokens.dropExchangedFrom(hash),
    rechecks,
    shared,
    {
      healthyUntilMs: (askedAtMs) => signals.healthyUntilMs(askedAtMs),
      tellsOf: (answer) => !denials.leavesOpen(answer),
    },
    stale,
  );
  const verifierOptions = { ...options, audience: options.clientId, profile, clockSkew: server.clockSkew };
  return {
    ...server,
    issuer,
    realmUrl,
    options,
    clock,
    loggers,
    denials,
    rechecks,
    signals,
    sharing,
    feed: new SharedFeed(sharing, signals, clock),
    shared,
    stale,
    tokens,
    verifier: new IssuerVerifier(introspection, verifierOptions, clock, denials, jwts),
    health: new AuthorizationServerHealth(
      server.metadata,
      server.introspection,
      clock,
      async () => jwts?.signatures.ready(),
      () => junkToken(options.profile),
    ),
    checkup: new Checkup({
      ...server,
      options,
      services,
      credential: () => server.authenticator.credential().catch(() => undefined),
      cleanse: (sentence) => withoutSecrets(sentence, server.authenticator.secrets),
      isProduction: runsInProduction(),
      proxy: network.proxyLabel(realmUrl),
    }),
    cacheSizes: () => ({
      introspections: introspection.sizes.active,
      inactiveIntrospections: introspection.sizes.inactive,
      verifiedJwts: jwts?.signatures.size ?? 0,
      tokens: tokens.size,
      revocations: denials.size,
    }),
  };
}
