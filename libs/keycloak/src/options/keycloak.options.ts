/** Keycloak options: what each option of `forRoot` means, its kind, default and range, and the check at boot. */
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
  type OptionContext,
  type OptionTable,
} from './option-kinds.js';
import type { SharedCache } from '../caching/shared-cache.js';
import type { RevocationChannel } from '../revocation/revocation-channel.js';
import type { RequestAdapter } from '../resource-server/request.adapter.js';
import type { JwtVerification } from '../resource-server/jwt-verification.js';
import { VERIFICATIONS, type VerificationMethod } from '../resource-server/verification.js';
import {
  ISSUER_OPTIONS,
  resolveIssuerOptions,
  resolveIssuers,
  type IssuerOptions,
  type ResolvedIssuerOptions,
} from './issuer.options.js';
import { checkProcess } from './process-faults.js';
import {
  protectedResource,
  type ProtectedResource,
  type ProtectedResourceOptions,
} from './protected-resource.options.js';

/** Options of `KeycloakModule.forRoot` that are the same for every issuer. Bounds are those of each. */
export interface CommonModuleOptions {
  /**
   * For handlers that are not reached over HTTP: one for each kind of context, such as `graphqlRequestAdapter()`. What demands a token in a kind
   * without one is refused. Default: none.
   */
  readonly requestAdapters?: readonly RequestAdapter[];
  /**
   * Bound on every call to the authorization server: waiting for a slot, the answer, and retries included. Default 3000,
   * 100 to 60000.
   */
  readonly timeoutMs?: number;
  /**
   * Calls to the authorization server that may run at once: introspections, and as many for tokens, so that a flood of
   * unknown tokens leaves this service's own alone. Default 20, 1 to 1000.
   */
  readonly maxConcurrentCalls?: number;
  /** Calls of each kind that may wait for a slot; more fail at once with 503 (`queue_full`). Default 500, 0 to 100000. */
  readonly maxQueuedCalls?: number;
  /**
   * How often a call is tried again after a connection that broke, a 5xx or a 429, with full jitter and not before
   * `Retry-After`; at most a tenth of all calls. Default 2, 0 to 10.
   */
  readonly maxRetries?: number;
  /** Failures in a row, of one kind of call, after which its circuit opens: calls are suspended. Default 10, 1 to 1000. */
  readonly circuitBreakerFailures?: number;
  /**
   * How long an open circuit suspends calls before it sends one trial call. `Retry-After` can make it longer, up to 30 s.
   * Default 1000, 100 to 60000.
   */
  readonly circuitBreakerPauseMs?: number;
  /** Clock skew tolerated between Keycloak and this service. Default 5, 0 to 60. */
  readonly clockToleranceSeconds?: number;
  /**
   * How long a token of ours must still live to be given out: the time for which a call may be in flight. Default 10, 1 to
   * 300.
   */
  readonly minRemainingLifetimeSeconds?: number;
  /**
   * How long an introspection answer may be reused: **the revocation window**. A token that is revoked, or whose user logs
   * out, is refused within this time. `@MaxIntrospectionAge` shortens it for a route. Default 10, 0 (ask every time) to 300.
   */
  readonly introspectionTtlSeconds?: number;
  /**
   * How long an introspection answer may be reused while a signal feed (`RevocationEventsModule`) proves that it hears of revocations: each is refused within seconds then, and Keycloak is asked less. When the feed is silent
   * answers serve for `introspectionTtlSeconds` again. `@MaxIntrospectionAge` shortens it for a route. Default unset, 2 to 3600: unset, they serve no longer than ever.
   */
  readonly introspectionTtlWithEventsSeconds?: number;
  /** Introspection answers that are kept, and as many of inactive tokens. Default 10000, 1 to 1000000. */
  readonly maxCachedIntrospections?: number;
  /** Tokens of ours that are kept for reuse, exchanged ones included. Default 1000, 1 to 1000000. */
  readonly maxCachedTokens?: number;
  /**
   * Denials that a `RevocationList` holds. When there are more, the one that would end first goes early, and every token
   * issued before that one was made is refused. Default 100000, 1 to 1000000.
   */
  readonly maxRevocations?: number;
  /**
   * How long each is held. It must be longer than the longest token lives that this service is sent: what has expired needs
   * no denial. Default 36000, 60 to 31536000. It must not be less than the two times for which answers may be cached. The default is
   * the ten hours that Keycloak lets a session last by default, and no token of a session outlives that session.
   * Raise it with `SSO Session Max`, and where offline sessions or longer lifespans are used.
   */
  readonly revocationRetentionSeconds?: number;
  /**
   * Has denials and rechecks of the `RevocationList` reach all replicas of all services, such as `valkeyRevocations()`. Default: none, they
   * hold in this process.
   */
  readonly revocationChannel?: RevocationChannel;
  /**
   * Has introspection answers and tokens that one replica has asked for serve all replicas of this service, such as `valkeyCache()`. Default: none, each
   * asks for itself.
   */
  readonly sharedCache?: SharedCache;
  /**
   * How tokens are verified where no `@TokenVerification` says it: `introspection` asks Keycloak, and knows within `introspectionTtlSeconds` of what was revoked; `jwt`
   * checks the signature here, and needs the option `jwt`. By `jwt` a token that was revoked passes until it expires, unless the `RevocationList` knows of it. Default
   * `introspection`.
   */
  readonly verification?: VerificationMethod;
  /** What checks signatures: `jwtVerification()` of `nestjs-keycloak-s2s/jwt`. Default: none, and each token is introspected. */
  readonly jwt?: JwtVerification;
  /** A longer token is refused before it costs a call. Default 8192, 1024 to 65536. */
  readonly maxTokenBytes?: number;
  /**
   * What clients that do not know this service are told of it: `{ resource: 'https://orders.example.com' }` has the module serve
   * `/.well-known/oauth-protected-resource` to everybody, and name it in each challenge (RFC 9728). Default: none is served.
   */
  readonly protectedResource?: ProtectedResourceOptions;
  /**
   * Whether the application asks Keycloak at its start if it serves these settings, as `nestjs-keycloak-s2s doctor` does: address, issuer,
   * credentials, clock, and the `scopes` of each service in `forFeature`. Faults stop the start with `StartVerificationError`; a
   * Keycloak that gives no answer does not. Default false.
   */
  readonly verifyAtStart?: boolean;
  /** DANGER: lets tokens and secrets travel unencrypted (`http:`). For development. Default false. */
  readonly allowInsecureRequests?: boolean;
  /** DANGER: shows callers which check refused them. For demonstrations. Default false. */
  readonly exposeRefusalReasons?: boolean;
}

/** Options of `KeycloakModule.forRoot` for one issuer. Only `issuer`, `clientId`, and one of `clientSecret` and `clientAuthentication` must be given. */
export interface KeycloakModuleOptions extends IssuerOptions, CommonModuleOptions {}

/** Options of `KeycloakModule.forRoot` for several issuers. */
export interface MultiIssuerModuleOptions extends CommonModuleOptions {
  /**
   * The closed list of issuers whose tokens are accepted, 1 to 100, in place of `issuer`, `clientId` and what else is of one issuer. The first is this service's own: of it are the tokens
   * in this service's own name, the clients that `@AllowClients` names without an issuer, and the calls of `AuthorizationServerFetch`, `ClientAuthenticator` and `AuthorizationServerHealth`. A token that says to be
   * of another issuer is refused without a call. What is kept (answers, keys, tokens, denials) is kept for each issuer by itself.
   */
  readonly issuers: readonly IssuerOptions[];
}

/** What `KeycloakModule.forRoot` takes. */
export type AnyModuleOptions = KeycloakModuleOptions | MultiIssuerModuleOptions;

/** Of the options that every issuer has in common, every one filled in and checked. */
type ResolvedCommonOptions = Required<
  Omit<
    CommonModuleOptions,
    'introspectionTtlWithEventsSeconds' | 'revocationChannel' | 'sharedCache' | 'protectedResource' | 'jwt'
  >
> & {
  readonly introspectionTtlWithEventsSeconds: number | undefined;
  readonly revocationChannel: RevocationChannel | undefined;
  readonly sharedCache: SharedCache | undefined;
  readonly protectedResource: ProtectedResource | undefined;
  readonly jwt: JwtVerification | undefined;
};

/** What one issuer is asked by. */
export type OptionsOfIssuer = ResolvedIssuerOptions & ResolvedCommonOptions;

/** Every option filled in and checked: those of the first issuer, and all issuers, which are it alone where one was given. */
export type ResolvedKeycloakOptions = OptionsOfIssuer & {
  readonly issuers: readonly [ResolvedIssuerOptions, ...ResolvedIssuerOptions[]];
};

/** Kind, default and range of each. */
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
  protectedResource,
  verifyAtStart: flag,
  allowInsecureRequests: flag,
  exposeRefusalReasons: flag,
} satisfies OptionTable<CommonModuleOptions, { readonly protectedResource: ProtectedResource }>;

/** Throws `KeycloakOptionsError`, which lists every fault. */
export function resolveKeycloakOptions(given: AnyModuleOptions | undefined): ResolvedKeycloakOptions {
  const faults = new ConfigurationFaults();
  const context = { faults, allowInsecureRequests: given?.allowInsecureRequests === true };
  const hasSignatures = given?.jwt !== undefined;
  const common = readOptions(COMMON_OPTIONS, given, context, [...Object.keys(ISSUER_OPTIONS), 'issuers']);
  if (common.verification === 'jwt' && !hasSignatures) {
    faults.fault('verification is "jwt", so jwt must be given: jwtVerification() of nestjs-keycloak-s2s/jwt');
  }
  const { introspectionTtlSeconds: ttl, introspectionTtlWithEventsSeconds: signalled = Infinity } = common;
  if (signalled <= ttl || (ttl === 0 && signalled !== Infinity)) {
    faults.fault('introspectionTtlWithEventsSeconds must be more than introspectionTtlSeconds, and that not 0');
  }
  if (common.revocationRetentionSeconds < Math.max(ttl, signalled === Infinity ? 0 : signalled)) {
    faults.fault(
      'revocationRetentionSeconds must not be less than introspectionTtlSeconds and introspectionTtlWithEventsSeconds: a denial is in force for as long as an answer may serve',
    );
  }
  checkProcess(faults);
  const issuers = issuersOf(given, context, hasSignatures);
  faults.throwIfFaulty((all) => new KeycloakOptionsError('KeycloakModule.forRoot', all));
  const [own, ...others] = issuers;
  if (own === undefined) throw new TypeError('There is no issuer');
  return { ...common, ...own, issuers: [own, ...others] };
}

function issuersOf(
  given: AnyModuleOptions | undefined,
  context: OptionContext,
  hasSignatures: boolean,
): readonly ResolvedIssuerOptions[] {
  const members: Readonly<Record<string, unknown>> = { ...given };
  if (members['issuers'] === undefined) {
    // Those that neither table has were noted with the common ones.
    return [resolveIssuerOptions(given, context, hasSignatures, Object.keys(members))];
  }
  for (const name of Object.keys(ISSUER_OPTIONS)) {
    if (members[name] === undefined) continue;
    context.faults.fault(`${name} is of one issuer, so with issuers it must be given there`);
  }
  return resolveIssuers(members['issuers'], context, hasSignatures);
}
