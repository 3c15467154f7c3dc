/** Keycloak options: what each option of `forRoot` means, its kind, default and range, and the check at boot. */
import { FixedSecret, type ClientAuthentication } from './client-authentication/client-authentication.js';
import { ConfigurationFaults } from './configuration-faults.js';
import {
  carriers,
  flag,
  integer,
  KeycloakOptionsError,
  nonEmptyString,
  oneOf,
  optionalFunction,
  optionalText,
  optionalUrl,
  optionalWith,
  readOptions,
  scopes,
  url,
  type OptionTable,
} from './option-kinds.js';
import type { SharedCache } from './caching/shared-cache.js';
import type { RevocationChannel } from './revocation/revocation-channel.js';
import type { CredentialCarrier } from './resource-server/credential-carrier.js';
import type { JwtVerification } from './resource-server/jwt-verification.js';
import type { PermissionMapper } from './resource-server/judge-access-token.js';
import { VERIFICATIONS, type TokenVerification } from './resource-server/verification.js';
import type { TrustedAuthorities } from './http/network.js';
import { realmAddresses, serverAddresses } from './issuer-addresses.js';
import { checkProcess } from './process-faults.js';
import { PROFILES, type ProfileName } from './protocol/token-profile.js';
import {
  protectedResource,
  type ProtectedResource,
  type ProtectedResourceOptions,
} from './protected-resource.options.js';
import { trustedAuthorities, type TlsOptions } from './tls.options.js';

/** Options of `KeycloakModule.forRoot`. Only `issuer`, `clientId`, and one of `clientSecret` and `clientAuthentication` must be given. */
export interface KeycloakModuleOptions {
  /**
   * The `iss` of every token that is accepted, exactly: `https://<server>/realms/<realm>`, without a final slash. With another `profile`: as the server writes it (RFC 8414 §2).
   */
  readonly issuer: string;
  /**
   * Where this service reaches the server when that is not where `issuer` points, such as `http://keycloak:8080` inside
   * a network. Without the `/realms/…` part; with another `profile` in place of the origin of `issuer`. Default: the part of `issuer` before it.
   */
  readonly baseUrl?: string;
  /**
   * What access tokens are at this server. `keycloak`: what Keycloak issues. `rfc9068`: JWTs whose header says `at+jwt`. `rfc7662`: whatever its introspection says of them, opaque tokens
   * too; not with `jwt`. See docs/other-servers.md for what each demands. Default `keycloak`.
   */
  readonly profile?: ProfileName;
  /** This service's client id. It is also the audience that every accepted token must name. */
  readonly clientId: string;
  /** This service's client secret, for introspection, client credentials and exchange alike. It stays as long as the process runs. */
  readonly clientSecret?: string;
  /**
   * In place of `clientSecret`, where a secret may change while the process runs, or there is none: `clientSecretFile()`, `clientSecretFrom()`, `privateKeyJwt()` or
   * `clientAssertionFile()`.
   */
  readonly clientAuthentication?: ClientAuthentication;
  /**
   * Whom the certificate of Keycloak must be of: `{ caFile }` has the authorities that are trusted in place of Node's. Default: those of Node.
   */
  readonly tls?: TlsOptions;
  /**
   * Where a token's permissions come from in realms that use roles instead of scopes, such as
   * `(claims) => realmRoles(claims)`. Default: the members of `scope`. It does not add to them, it replaces them.
   */
  readonly permissions?: PermissionMapper;
  /**
   * For handlers that are not reached over HTTP: one for each kind of context, such as `graphqlCarrier()`. What demands a token in a kind
   * without one is refused. Default: none.
   */
  readonly carriers?: readonly CredentialCarrier[];
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
   * How tokens are verified where no `@Verification` says it: `introspection` asks Keycloak, and knows within `introspectionTtlSeconds` of what was revoked; `jwt`
   * checks the signature here, and needs the option `jwt`. By `jwt` a token that was revoked passes until it expires, unless the `RevocationList` knows of it. Default
   * `introspection`.
   */
  readonly verification?: TokenVerification;
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

/** Every option filled in and checked; the secret is in `clientAuthentication`, which does not show it. */
export type ResolvedKeycloakOptions = Required<
  Omit<
    KeycloakModuleOptions,
    | 'permissions'
    | 'baseUrl'
    | 'clientSecret'
    | 'tls'
    | 'revocationChannel'
    | 'sharedCache'
    | 'protectedResource'
    | 'jwt'
  >
> & {
  readonly tls: TrustedAuthorities;
  readonly permissions: PermissionMapper | undefined;
  readonly revocationChannel: RevocationChannel | undefined;
  readonly sharedCache: SharedCache | undefined;
  readonly protectedResource: ProtectedResource | undefined;
  readonly jwt: JwtVerification | undefined;
  /** The issuer's URL as this service reaches it. */
  readonly realmUrl: string;
};

/** Kind, default and range of each. */
const KEYCLOAK_OPTIONS = {
  issuer: url,
  baseUrl: optionalUrl,
  profile: oneOf(PROFILES),
  clientId: nonEmptyString,
  clientSecret: optionalText,
  clientAuthentication: optionalWith<ClientAuthentication>(
    ['connect'],
    'a client authentication, such as clientSecretFile()',
  ),
  tls: trustedAuthorities,
  permissions: optionalFunction<PermissionMapper>('from claims to permissions'),
  carriers,
  defaultScopes: scopes(['profile', 'email']),
  timeoutMs: integer(3000, 100, 60_000),
  maxConcurrentCalls: integer(20, 1, 1000),
  maxQueuedCalls: integer(500, 0, 100_000),
  maxRetries: integer(2, 0, 10),
  circuitBreakerFailures: integer(10, 1, 1000),
  circuitBreakerPauseMs: integer(1000, 100, 60_000),
  clockToleranceSeconds: integer(5, 0, 60),
  minRemainingLifetimeSeconds: integer(10, 1, 300),
  introspectionTtlSeconds: integer(10, 0, 300),
  maxCachedIntrospections: integer(10_000, 1, 1_000_000),
  maxCachedTokens: integer(1000, 1, 1_000_000),
  maxRevocations: integer(100_000, 1, 1_000_000),
  revocationMemorySeconds: integer(36_000, 60, 31_536_000),
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
} satisfies OptionTable<
  KeycloakModuleOptions,
  { readonly tls: TrustedAuthorities; readonly protectedResource: ProtectedResource }
>;

export function resolveKeycloakOptions(given: KeycloakModuleOptions | undefined): ResolvedKeycloakOptions {
  const faults = new ConfigurationFaults();
  const allowInsecureRequests = given?.allowInsecureRequests === true;
  const { baseUrl, clientSecret, clientAuthentication, ...options } = readOptions(KEYCLOAK_OPTIONS, given, {
    faults,
    allowInsecureRequests,
  });
  if ((clientSecret === undefined) === (clientAuthentication === undefined)) {
    faults.fault(`clientSecret or clientAuthentication must be given${clientSecret === undefined ? '' : ', not both'}`);
  }
  if (options.verification === 'jwt' && given?.jwt === undefined) {
    faults.fault('verification is "jwt", so jwt must be given: jwtVerification() of nestjs-keycloak-s2s/jwt');
  }
  if (options.profile === 'rfc7662' && given?.jwt !== undefined) {
    faults.fault('profile is "rfc7662", whose tokens may have no signature, so jwt must not be given');
  }
  checkProcess(faults);
  const addresses = (options.profile === 'keycloak' ? realmAddresses : serverAddresses)(
    { issuer: options.issuer, given: given?.issuer, baseUrl },
    faults,
  );
  faults.throwIfFaulty((all) => new KeycloakOptionsError('KeycloakModule.forRoot', all));
  return {
    ...options,
    ...addresses,
    clientAuthentication: clientAuthentication ?? new FixedSecret(clientSecret ?? ''),
  };
}
