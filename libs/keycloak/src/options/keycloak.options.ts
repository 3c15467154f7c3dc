import { ConfigurationFaults } from '../protocol/configuration-faults.js';
import {
  requestAdapters,
  flag,
  integer,
  KeycloakOptionsError,
  oneOf,
  optionalInteger,
  optionalWith,
  readOptions,
  verificationAtStart,
  type OptionContext,
  type OptionTable,
} from './option-kinds.js';
import { systemClock } from '../caching/clock.js';
import type { SharedCache } from '../caching/shared-cache.js';
import type { RevocationChannel } from '../revocation/revocation-channel.js';
import type { RequestAdapter } from '../resource-server/request.adapter.js';
import type { JwtVerification } from '../resource-server/jwt-verification.js';
import { VERIFICATIONS, type VerificationMethod } from '../resource-server/verification.js';
import { checkObserveUntil, ENFORCEMENTS, optionalDate, type Enforcement } from './enforcement.options.js';
import {
  ISSUER_OPTIONS,
  resolveIssuerOptions,
  resolveIssuers,
  type ClientCredentials,
  type IssuerOptions,
  type ResolvedIssuerOptions,
} from './issuer.options.js';
import { checkProcess } from './process-faults.js';
import {
  protectedResources,
  type ProtectedResource,
  type ProtectedResourceOptions,
} from './protected-resource.options.js';

/** Common options apply to every issuer, and each limit counts for each issuer separately. */
export interface CommonModuleOptions {
  /**
   * The adapters for contexts that are not HTTP, such as `graphqlRequestAdapter()`. Several adapters of one kind
   * need `isOwn`. Without the adapter of a context, the guard refuses calls that need a token. Default: none.
   */
  readonly requestAdapters?: readonly RequestAdapter[];
  /** The time limit of a call to the authorization server, including waits and retries. Default 3000, 100 to 60000. */
  readonly timeoutMs?: number;
  /**
   * Limits concurrent introspections and, separately, concurrent token requests. A flood of unknown tokens therefore
   * does not delay this service's own calls. Default 20, 1 to 1000.
   */
  readonly maxConcurrentCalls?: number;
  /**
   * Limits the calls of each kind that wait for a slot. Further calls fail at once with 503 (`queue_full`). Default
   * 500, 0 to 100000.
   */
  readonly maxQueuedCalls?: number;
  /**
   * The number of retries after a broken connection, a 5xx or a 429. Retries are at most a tenth of all calls, use full
   * jitter, and wait for `Retry-After`. Default 2, 0 to 10.
   */
  readonly maxRetries?: number;
  /** Each kind of call has a circuit that opens after this number of consecutive failures, retries included. Default 10, 1 to 1000. */
  readonly circuitBreakerFailures?: number;
  /**
   * How long an open circuit suspends calls before it sends one trial call. `Retry-After` can extend this pause up to
   * 30 s. Default 1000, 100 to 60000.
   */
  readonly circuitBreakerPauseMs?: number;
  /** Tolerated clock skew between Keycloak and this service. Default 5, 0 to 60. */
  readonly clockToleranceSeconds?: number;
  /** The minimum remaining lifetime of a sent token: a call may take that long. Default 10, 1 to 300. */
  readonly minRemainingLifetimeSeconds?: number;
  /**
   * How long an introspection result is cached: **the revocation window**. After a revocation or logout, the token is
   * refused within `introspectionTtlSeconds`. `@MaxIntrospectionAge` shortens the time for a route. With 0, this
   * service asks Keycloak every time. Default 10, 0 to 300.
   */
  readonly introspectionTtlSeconds?: number;
  /**
   * How long an introspection result is cached while a signal feed (`RevocationEventsModule`) is healthy. Revocations
   * then take effect within seconds, and this service asks Keycloak less often. Without this option or a healthy
   * feed, results are cached for `introspectionTtlSeconds`. `@MaxIntrospectionAge` shortens the time for a route.
   * Default unset, 2 to 3600.
   */
  readonly introspectionTtlWithEventsSeconds?: number;
  /**
   * DANGER: how long an expired introspection result is still used while Keycloak does not answer (time-out, failed
   * connection, 5xx, open circuit). A token that is revoked meanwhile stays accepted for this time beyond its TTL. Never
   * used after `exp`, a denial, a recheck or an inactive result, or on a route with `@MaxIntrospectionAge`. Default 0, 0
   * to 600.
   */
  readonly introspectionStaleIfErrorSeconds?: number;
  /**
   * Limits the cached introspection results of active tokens and, separately, of inactive tokens. Default 10000, 1 to
   * 1000000.
   */
  readonly maxCachedIntrospections?: number;
  /** The maximum number of cached tokens of this service, including exchanged tokens. Default 1000, 1 to 1000000. */
  readonly maxCachedTokens?: number;
  /**
   * The maximum number of denials that a `RevocationList` holds. A full list drops the denial that expires first, and
   * refuses all tokens issued before this denial. Default 100000, 1 to 1000000.
   */
  readonly maxRevocations?: number;
  /**
   * How long a denial is held. This option must exceed the longest lifetime of a received token. Default 36000, 60 to
   * 31536000. The minimum is the larger value of `introspectionTtlSeconds` and `introspectionTtlWithEventsSeconds`, plus
   * `introspectionStaleIfErrorSeconds`.
   *
   * The default is Keycloak's default limit for sessions: no token outlives its session. Raise
   * `revocationRetentionSeconds` together with `SSO Session Max`, for offline sessions, and for longer token lifespans.
   */
  readonly revocationRetentionSeconds?: number;
  /**
   * A channel, such as `valkeyRevocations()`, shares denials and rechecks with all replicas of all services. Default:
   * none, and denials and rechecks apply only to this process.
   */
  readonly revocationChannel?: RevocationChannel;
  /**
   * A cache, such as `valkeyCache()`, shares introspection results and tokens with all replicas of this service.
   * Default: none, and each replica sends its own requests.
   */
  readonly sharedCache?: SharedCache;
  /**
   * The verification method of handlers without `@TokenVerification`. `introspection` asks Keycloak, and refuses a
   * revoked token within `introspectionTtlSeconds`. `jwt` checks signatures locally, and accepts revoked tokens until
   * their expiry or denial (`RevocationList`). The value `jwt` needs the option `jwt`. Default `introspection`.
   */
  readonly verification?: VerificationMethod;
  /**
   * Verifies signatures: `jwtVerification()` of `nestjs-keycloak-s2s/jwt`. Default: none. Without this option, each
   * token is introspected.
   */
  readonly jwt?: JwtVerification;
  /**
   * The maximum length of a token; a longer token is refused without a call to the server. Default 8192, 1024 to 65536.
   */
  readonly maxTokenBytes?: number;
  /**
   * With `{ resource: 'https://orders.example.com' }` the module serves `/.well-known/oauth-protected-resource` to
   * everyone, and challenges name this document (RFC 9728). In a list, each resource describes the routes at and below
   * its path. Default: not served.
   */
  readonly protectedResource?: ProtectedResourceOptions | readonly ProtectedResourceOptions[];
  /**
   * How the application checks its settings against Keycloak: `true`, `'background'`, or `false` (the default with
   * `NODE_ENV=test`). Default `'background'`.
   *
   * `'background'`: after the start, the application sends one discovery request and one introspection. For a fault,
   * the application logs the cause and the cure. `true`: before the start, the application makes all checks of
   * `nestjs-keycloak-s2s doctor`, including a check of the `scopes` of each service in `forFeature`. A fault stops the
   * start with `StartVerificationError`. If Keycloak gives no answer, the application starts.
   */
  readonly verifyAtStart?: boolean | 'background';
  /**
   * DANGER: `observe` refuses nothing. The service's present guard decides, and this library counts the calls that it
   * would refuse, by reason, route and client. With `observe`, `@Caller()` and `callerOf()` return undefined, and no
   * connection is closed. `observe` needs `observeUntil`. Use `observe` while a service moves to this library. Default
   * `enforce`.
   */
  readonly enforcement?: Enforcement;
  /**
   * The last day (`YYYY-MM-DD`, UTC) of `enforcement: 'observe'`, at most 90 days ahead. After this day, the
   * application does not start. A service that runs already continues to observe, and `KeycloakStatus` reports
   * `isOverdue`. Default unset.
   */
  readonly observeUntil?: string;
  /** DANGER: lets tokens and secrets travel unencrypted (`http:`). For development. Default false. */
  readonly allowInsecureRequests?: boolean;
  /** DANGER: tells each refused caller which check failed. For demonstrations. Default false. */
  readonly exposeRefusalReasons?: boolean;
}

/** Options for one issuer. */
export type KeycloakModuleOptions = IssuerOptions & ClientCredentials & CommonModuleOptions;

/** Options of `KeycloakModule.forRoot` for several issuers. */
export interface MultiIssuerModuleOptions extends CommonModuleOptions {
  /**
   * The 1 to 100 accepted issuers, in place of the options of one issuer. A token of any other issuer is refused
   * without a call to a server. Results, keys, tokens and denials are kept separately for each issuer.
   *
   * The first issuer is this service's own issuer, and issues this service's own tokens. `AuthorizationServerFetch`,
   * `ClientAuthenticator`, `AuthorizationServerHealth`, and `@AllowClients` without an issuer refer to the first
   * issuer.
   */
  readonly issuers: readonly (IssuerOptions & ClientCredentials)[];
}

/** Options of `KeycloakModule.forRoot`. */
export type AnyModuleOptions = KeycloakModuleOptions | MultiIssuerModuleOptions;

type ResolvedCommonOptions = Required<
  Omit<
    CommonModuleOptions,
    | 'introspectionTtlWithEventsSeconds'
    | 'revocationChannel'
    | 'sharedCache'
    | 'protectedResource'
    | 'jwt'
    | 'observeUntil'
  >
> & {
  readonly introspectionTtlWithEventsSeconds: number | undefined;
  readonly revocationChannel: RevocationChannel | undefined;
  readonly sharedCache: SharedCache | undefined;
  readonly protectedResource: readonly ProtectedResource[];
  readonly jwt: JwtVerification | undefined;
  readonly observeUntil: string | undefined;
};

export type OptionsOfIssuer = ResolvedIssuerOptions & ResolvedCommonOptions;

export type ResolvedKeycloakOptions = OptionsOfIssuer & {
  readonly issuers: readonly [ResolvedIssuerOptions, ...ResolvedIssuerOptions[]];
};

const COMMON_OPTIONS = {
  requestAdapters,
  timeoutMs: integer(3000, 100, 60_000),
  maxConcurrentCalls: integer(20, 1, 1000),
  maxQueuedCalls: integer(500, 0, 100_000),
  maxRetries: integer(2, 0, 10),
  circuitBreakerFailures: integer(10, 1, 1000),
  circuitBreakerPauseMs: integer(1000, 100, 60_000),
  clockToleranceSeconds: integer(5, 0, 60),
  minRemainingLifetimeSeconds: integer(10, 1, 300),
  introspectionTtlSeconds: integer(10, 0, 300),
  introspectionTtlWithEventsSeconds: optionalInteger(2, 3600),
  introspectionStaleIfErrorSeconds: integer(0, 0, 600),
  maxCachedIntrospections: integer(10_000, 1, 1_000_000),
  maxCachedTokens: integer(1000, 1, 1_000_000),
  maxRevocations: integer(100_000, 1, 1_000_000),
  revocationRetentionSeconds: integer(36_000, 60, 31_536_000),
  revocationChannel: optionalWith<RevocationChannel>(
    ['check', 'connect'],
    'a revocation channel, such as valkeyRevocations()',
  ),
  sharedCache: optionalWith<SharedCache>(['check', 'connect'], 'a shared cache, such as valkeyCache()'),
  verification: oneOf(VERIFICATIONS),
  jwt: optionalWith<JwtVerification>(['connect'], 'a verification of JWTs, such as jwtVerification()'),
  maxTokenBytes: integer(8192, 1024, 65_536),
  protectedResource: protectedResources,
  verifyAtStart: verificationAtStart,
  enforcement: oneOf(ENFORCEMENTS),
  observeUntil: optionalDate,
  allowInsecureRequests: flag,
  exposeRefusalReasons: flag,
} satisfies OptionTable<CommonModuleOptions, { readonly protectedResource: readonly ProtectedResource[] }>;

export function resolveKeycloakOptions(
  given: AnyModuleOptions | undefined,
  nowSeconds = systemClock.epochSeconds(),
): ResolvedKeycloakOptions {
  const faults = new ConfigurationFaults();
  const context = { faults, allowInsecureRequests: given?.allowInsecureRequests === true };
  const hasSignatures = given?.jwt !== undefined;
  const common = readOptions(COMMON_OPTIONS, given, context, [...Object.keys(ISSUER_OPTIONS), 'issuers']);
  if (common.verification === 'jwt' && !hasSignatures) {
    faults.fault(
      'verification is "jwt", so the option jwt is required: use jwtVerification() of nestjs-keycloak-s2s/jwt',
    );
  }
  const { introspectionTtlSeconds: ttl, introspectionTtlWithEventsSeconds: signalled } = common;
  if (signalled !== undefined && (signalled <= ttl || ttl === 0)) {
    faults.fault(
      'introspectionTtlWithEventsSeconds must be more than introspectionTtlSeconds, and introspectionTtlSeconds must not be 0',
    );
  }
  const { introspectionStaleIfErrorSeconds: stale } = common;
  if (common.revocationRetentionSeconds < Math.max(ttl, signalled ?? 0) + stale) {
    faults.fault(
      'revocationRetentionSeconds must not be less than introspectionTtlSeconds and introspectionTtlWithEventsSeconds, each plus introspectionStaleIfErrorSeconds, because a denial must outlast cached answers',
    );
  }
  if (stale > 0 && ttl === 0) {
    faults.fault('introspectionStaleIfErrorSeconds needs introspectionTtlSeconds above 0, because no result is cached');
  }
  checkObserveUntil(common, faults, nowSeconds);
  checkProcess(faults);
  const issuers = issuersOf(given, context, hasSignatures);
  faults.throwIfFaulty((all) => new KeycloakOptionsError('KeycloakModule.forRoot', all));
  const [own, ...others] = issuers;
  if (own === undefined) throw new TypeError('KeycloakModule has no issuer');
  return { ...common, ...own, issuers: [own, ...others] };
}

function issuersOf(
  given: AnyModuleOptions | undefined,
  context: OptionContext,
  hasSignatures: boolean,
): readonly ResolvedIssuerOptions[] {
  const members = Object(given) as Readonly<Record<string, unknown>>;
  if (members['issuers'] === undefined) {
    return [resolveIssuerOptions(given, context, hasSignatures, Object.keys(members))];
  }
  for (const name of Object.keys(ISSUER_OPTIONS)) {
    if (members[name] === undefined) continue;
    context.faults.fault(`${name} belongs to one issuer: set this option in an entry of issuers`);
  }
  return resolveIssuers(members['issuers'], context, hasSignatures);
}
