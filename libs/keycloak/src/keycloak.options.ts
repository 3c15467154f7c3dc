/** Options of the module: what they mean, their defaults, and the check at boot that lists every fault at once. */
import { OptionsCheck } from './options-check.js';
import type { PermissionMapper } from './resource-server/judge-access-token.js';

/** Options of `KeycloakModule.forRoot`. Only `issuer`, `clientId` and `clientSecret` must be given. */
export interface KeycloakModuleOptions {
  /** The `iss` of every token that is accepted, exactly: `https://<server>/realms/<realm>`, without a final slash. */
  readonly issuer: string;
  /**
   * Where this service reaches the server when that is not where `issuer` points, such as `http://keycloak:8080` inside
   * a network. Without the `/realms/…` part. Default: the part of `issuer` before it.
   */
  readonly baseUrl?: string;
  /** This service's client id. It is also the audience that every accepted token must name. */
  readonly clientId: string;
  /** This service's client secret, for introspection, client credentials and exchange alike. */
  readonly clientSecret: string;
  /**
   * Where a token's permissions come from in realms that use roles instead of scopes, such as
   * `(claims) => realmRoles(claims)`. Default: the members of `scope`. It does not add to them, it replaces them.
   */
  readonly permissions?: PermissionMapper;
  /** Scopes that the realm adds to each of this client's tokens unasked. Default: `profile` and `email`. */
  readonly defaultScopes?: readonly string[];
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
   * out, is refused within this time. `@MaxStaleness` shortens it for a route. Default 10, 0 (ask every time) to 300.
   */
  readonly introspectionTtlSeconds?: number;
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
   * no denial. Default 36000, 60 to 31536000: the ten hours that Keycloak lets a session last by default, which none of its
   * tokens outlives. Raise it with `SSO Session Max`, and where offline sessions or longer lifespans are used.
   */
  readonly revocationMemorySeconds?: number;
  /** A longer token is refused before it costs a call. Default 8192, 1024 to 65536. */
  readonly maxTokenBytes?: number;
  /** DANGER: lets tokens and secrets travel unencrypted (`http:`). For development. Default false. */
  readonly allowInsecureRequests?: boolean;
  /** DANGER: tells callers which check refused them. For demonstrations. Default false. */
  readonly exposeRefusalReasons?: boolean;
}

/** Options of one service in `KeycloakModule.forFeature`. */
export interface ServiceOptions {
  /** Where the service is reached; paths are below it. */
  readonly baseUrl: string;
  /** The service's client id: the audience of the tokens that are exchanged for it. */
  readonly audience: string;
  /** Bound on one call: waiting for a slot, and its answer; a renewed token gets a call of its own. Default 5000, 100 to 300000. */
  readonly timeoutMs?: number;
  /** A larger answer fails the call. Default 1048576, 1024 to 104857600. */
  readonly maxResponseBytes?: number;
  /** Calls to the service that may run at once, and connections to it. Default 100, 1 to 10000. */
  readonly maxConcurrentCalls?: number;
  /**
   * Calls that may wait for a slot, for half of `timeoutMs` at most; the others fail with 503 (`queue_full`). Default 500,
   * 0 to 100000.
   */
  readonly maxQueuedCalls?: number;
  /**
   * Failures in a row after which the circuit opens and calls are suspended: no answer in time, no connection, an answer that breaks off,
   * 502, 503 or 504 (but for those in which it says so of another service, or of Keycloak). Default 10, 1 to 1000.
   */
  readonly circuitBreakerFailures?: number;
  /**
   * How long an open circuit suspends calls before it sends one trial call; meanwhile calls fail at once with 503
   * (`circuit_open`). `Retry-After` can make it longer, up to 30 s. Default 1000, 100 to 60000.
   */
  readonly circuitBreakerPauseMs?: number;
}

/** Every option filled in and checked; the secret goes to the connection alone, and is not kept beside the others. */
export type ResolvedKeycloakOptions = Required<
  Omit<KeycloakModuleOptions, 'permissions' | 'baseUrl' | 'clientSecret'>
> & {
  readonly permissions: PermissionMapper | undefined;
  /** The realm's URL as this service reaches it. */
  readonly realmUrl: string;
};

/** Names that an option can have: a misspelt one must not pass for the default. */
const OPTION_NAMES: Readonly<Record<keyof KeycloakModuleOptions, true>> = {
  issuer: true,
  baseUrl: true,
  clientId: true,
  clientSecret: true,
  permissions: true,
  defaultScopes: true,
  timeoutMs: true,
  maxConcurrentCalls: true,
  maxQueuedCalls: true,
  maxRetries: true,
  circuitBreakerFailures: true,
  circuitBreakerPauseMs: true,
  clockToleranceSeconds: true,
  minRemainingLifetimeSeconds: true,
  introspectionTtlSeconds: true,
  maxCachedIntrospections: true,
  maxCachedTokens: true,
  maxRevocations: true,
  revocationMemorySeconds: true,
  maxTokenBytes: true,
  allowInsecureRequests: true,
  exposeRefusalReasons: true,
};
const SERVICE_OPTION_NAMES: Readonly<Record<keyof ServiceOptions | 'name', true>> = {
  name: true,
  baseUrl: true,
  audience: true,
  timeoutMs: true,
  maxResponseBytes: true,
  maxConcurrentCalls: true,
  maxQueuedCalls: true,
  circuitBreakerFailures: true,
  circuitBreakerPauseMs: true,
};

export function resolveKeycloakOptions(options: KeycloakModuleOptions): ResolvedKeycloakOptions {
  const check = new OptionsCheck('KeycloakModule.forRoot');
  const given = check.known(options, OPTION_NAMES);
  const insecure = check.boolean('allowInsecureRequests', given.allowInsecureRequests);
  const { issuer, realmUrl } = check.issuer(given.issuer, given.baseUrl, insecure);
  const resolved: ResolvedKeycloakOptions = {
    issuer,
    realmUrl,
    clientId: check.text('clientId', given.clientId),
    permissions: given.permissions,
    defaultScopes: check.scopes('defaultScopes', given.defaultScopes, ['profile', 'email']),
    timeoutMs: check.whole('timeoutMs', given.timeoutMs, 3000, 100, 60_000),
    maxConcurrentCalls: check.whole('maxConcurrentCalls', given.maxConcurrentCalls, 20, 1, 1000),
    maxQueuedCalls: check.whole('maxQueuedCalls', given.maxQueuedCalls, 500, 0, 100_000),
    maxRetries: check.whole('maxRetries', given.maxRetries, 2, 0, 10),
    circuitBreakerFailures: check.whole('circuitBreakerFailures', given.circuitBreakerFailures, 10, 1, 1000),
    circuitBreakerPauseMs: check.whole('circuitBreakerPauseMs', given.circuitBreakerPauseMs, 1000, 100, 60_000),
    clockToleranceSeconds: check.whole('clockToleranceSeconds', given.clockToleranceSeconds, 5, 0, 60),
    minRemainingLifetimeSeconds: check.whole(
      'minRemainingLifetimeSeconds',
      given.minRemainingLifetimeSeconds,
      10,
      1,
      300,
    ),
    introspectionTtlSeconds: check.whole('introspectionTtlSeconds', given.introspectionTtlSeconds, 10, 0, 300),
    maxCachedIntrospections: check.whole(
      'maxCachedIntrospections',
      given.maxCachedIntrospections,
      10_000,
      1,
      1_000_000,
    ),
    maxCachedTokens: check.whole('maxCachedTokens', given.maxCachedTokens, 1000, 1, 1_000_000),
    maxRevocations: check.whole('maxRevocations', given.maxRevocations, 100_000, 1, 1_000_000),
    revocationMemorySeconds: check.whole(
      'revocationMemorySeconds',
      given.revocationMemorySeconds,
      36_000,
      60,
      31_536_000,
    ),
    maxTokenBytes: check.whole('maxTokenBytes', given.maxTokenBytes, 8192, 1024, 65_536),
    allowInsecureRequests: insecure,
    exposeRefusalReasons: check.boolean('exposeRefusalReasons', given.exposeRefusalReasons),
  };
  check.text('clientSecret', given.clientSecret);
  if (given.permissions !== undefined && typeof given.permissions !== 'function') {
    check.fault('permissions must be a function from claims to permissions');
  }
  check.done();
  return resolved;
}

export function resolveServiceOptions(
  name: string,
  options: ServiceOptions,
  allowInsecureRequests: boolean,
): Required<ServiceOptions> {
  const check = new OptionsCheck(`KeycloakModule.forFeature, service ${JSON.stringify(name)},`);
  const given = check.known(options, SERVICE_OPTION_NAMES);
  const resolved = {
    baseUrl: check.url('baseUrl', given.baseUrl, allowInsecureRequests),
    audience: check.text('audience', given.audience),
    timeoutMs: check.whole('timeoutMs', given.timeoutMs, 5000, 100, 300_000),
    maxResponseBytes: check.whole('maxResponseBytes', given.maxResponseBytes, 1_048_576, 1024, 104_857_600),
    maxConcurrentCalls: check.whole('maxConcurrentCalls', given.maxConcurrentCalls, 100, 1, 10_000),
    maxQueuedCalls: check.whole('maxQueuedCalls', given.maxQueuedCalls, 500, 0, 100_000),
    circuitBreakerFailures: check.whole('circuitBreakerFailures', given.circuitBreakerFailures, 10, 1, 1000),
    circuitBreakerPauseMs: check.whole('circuitBreakerPauseMs', given.circuitBreakerPauseMs, 1000, 100, 60_000),
  };
  check.done();
  return resolved;
}

/** Service names are what clients are injected by: each must be given, and once. Throws `KeycloakOptionsError`. */
export function checkServiceNames(names: readonly unknown[]): void {
  const check = new OptionsCheck('KeycloakModule.forFeature');
  names.forEach((name, at) => {
    check.text(`name of service ${at + 1}`, name);
    if (names.indexOf(name) < at) check.fault(`name ${JSON.stringify(name)} is given twice`);
  });
  check.done();
}
