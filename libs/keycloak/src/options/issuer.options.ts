import { FixedSecret, type ClientAuthentication } from '../client-authentication/client-authentication.js';
import { ConfigurationFaults } from '../protocol/configuration-faults.js';
import {
  nonEmptyString,
  oneOf,
  optionalAcrValues,
  optionalFunction,
  optionalScopes,
  optionalText,
  optionalUrl,
  optionalWith,
  readOptions,
  scopes,
  url,
  type OptionContext,
  type OptionTable,
} from './option-kinds.js';
import type { TrustedAuthorities } from '../http/network.js';
import { realmAddresses, serverAddresses, type IssuerAddresses } from '../protocol/issuer-addresses.js';
import { PROFILES, type ProfileName } from '../protocol/token-profile.js';
import type { PermissionMapper } from '../resource-server/permission-mapper.js';
import { trustedAuthorities, type TlsOptions } from './tls.options.js';

/** One issuer (a realm or another server), and this service's client at the issuer. */
export interface IssuerOptions {
  /**
   * The exact `iss` of every accepted token: `https://<server>/realms/<realm>`, without a final slash. With another
   * `profile`, the value equals `issuer` in the server's metadata (RFC 8414 §2).
   */
  readonly issuer: string;
  /**
   * The server's URL for calls by this service, such as `http://keycloak:8080` in a private network. The URL has no
   * `/realms/…` part. With another `profile`, the URL replaces the origin of `issuer`. Default: the part of `issuer`
   * before `/realms/`.
   */
  readonly internalServerUrl?: string;
  /**
   * The kind of access tokens. `keycloak`: tokens of Keycloak. `rfc9068`: JWTs with the header type `at+jwt`.
   * `rfc7662`: JWTs and opaque tokens that introspection accepts (the option `jwt` is not allowed). See
   * docs/other-servers.md. Values other than `keycloak` are experimental. Default `keycloak`.
   *
   * @experimental
   */
  readonly profile?: ProfileName;
  /** This service's client id at this issuer. Every accepted token must have this client id as an audience. */
  readonly clientId: string;
  /**
   * The client secret for introspection, client credentials and exchange. The secret stays the same while the process
   * runs. Default: none. Without a secret, `clientAuthentication` is required.
   */
  readonly clientSecret?: string;
  /**
   * Replaces `clientSecret` if no secret exists or the secret changes at runtime. Use `clientSecretFile()`,
   * `clientSecretFrom()`, `privateKeyJwt()` or `clientAssertionFile()`. Default: none. Without `clientAuthentication`,
   * `clientSecret` is required.
   */
  readonly clientAuthentication?: ClientAuthentication;
  /** `{ caFile }` replaces Node's trusted authorities for calls to the server. Default: Node's authorities. */
  readonly tls?: TlsOptions;
  /**
   * Maps claims to permissions in realms with roles instead of scopes, such as `(claims) => realmRoles(claims)`. The
   * result of the mapper replaces the scopes. Default: the members of `scope`.
   */
  readonly mapPermissions?: PermissionMapper;
  /**
   * The scopes of this issuer's tokens that count as permissions. Default: all. With several issuers, only the first
   * issuer has a default. Each other issuer needs `acceptedScopes` or `mapPermissions`, because its administrator can
   * create any scope.
   */
  readonly acceptedScopes?: readonly string[];
  /**
   * The `acr` values that count for `@RequireStepUp({ acr })`; at another issuer, `gold` may mean any login. Default:
   * every value of the first issuer, and no value of any other issuer. The login time (`auth_time`) of every issuer is
   * trusted.
   */
  readonly acceptedAcr?: readonly string[];
  /** Unrequested scopes that the realm adds to each token of this client. Default: `profile` and `email`. */
  readonly expectedDefaultScopes?: readonly string[];
}

/** Requires either `clientSecret` or `clientAuthentication`; the start fails if both are given. */
export type ClientCredentials =
  | { readonly clientSecret: string; readonly clientAuthentication?: ClientAuthentication }
  | { readonly clientAuthentication: ClientAuthentication; readonly clientSecret?: string };

/** `clientAuthentication` contains the secret, but does not show it when printed. */
export interface ResolvedIssuerOptions extends IssuerAddresses {
  readonly profile: ProfileName;
  readonly clientId: string;
  readonly clientAuthentication: ClientAuthentication;
  readonly tls: TrustedAuthorities;
  readonly mapPermissions: PermissionMapper | undefined;
  readonly acceptedScopes: readonly string[] | undefined;
  readonly acceptedAcr: readonly string[] | undefined;
  readonly expectedDefaultScopes: readonly string[];
}

export const ISSUER_OPTIONS = {
  issuer: url,
  internalServerUrl: optionalUrl,
  profile: oneOf(PROFILES),
  clientId: nonEmptyString,
  clientSecret: optionalText,
  clientAuthentication: optionalWith<ClientAuthentication>(
    ['connect'],
    'a client authentication, such as clientSecretFile()',
  ),
  tls: trustedAuthorities,
  mapPermissions: optionalFunction<PermissionMapper>('from claims to permissions'),
  acceptedScopes: optionalScopes,
  acceptedAcr: optionalAcrValues,
  expectedDefaultScopes: scopes(['profile', 'email']),
} satisfies OptionTable<IssuerOptions, { readonly tls: TrustedAuthorities }>;

/** An option is unknown if neither the table nor `otherNames` contains its name. */
export function resolveIssuerOptions(
  given: object | undefined,
  context: OptionContext,
  hasSignatures: boolean,
  otherNames: readonly string[] = [],
): ResolvedIssuerOptions {
  const { faults } = context;
  const { internalServerUrl, clientSecret, clientAuthentication, ...options } = readOptions(
    ISSUER_OPTIONS,
    given,
    context,
    otherNames,
  );
  if ((clientSecret === undefined) === (clientAuthentication === undefined)) {
    faults.fault(`clientSecret or clientAuthentication must be given${clientSecret === undefined ? '' : ', not both'}`);
  }
  if (options.mapPermissions !== undefined && options.acceptedScopes !== undefined) {
    faults.fault(
      'mapPermissions and acceptedScopes exclude each other, because the result of mapPermissions replaces the scopes',
    );
  }
  if (options.profile === 'rfc7662' && hasSignatures) {
    faults.fault('jwt must not be given with profile "rfc7662", because its tokens may have no signature');
  }
  const issuer = (given as Partial<IssuerOptions> | undefined)?.issuer;
  const addresses = (options.profile === 'keycloak' ? realmAddresses : serverAddresses)(
    { issuer: options.issuer, given: issuer, internalServerUrl },
    faults,
  );
  return {
    ...options,
    ...addresses,
    clientAuthentication: clientAuthentication ?? new FixedSecret(clientSecret ?? ''),
  };
}

const MAX_ISSUERS = 100;

export function resolveIssuers(
  given: unknown,
  context: OptionContext,
  hasSignatures: boolean,
): readonly ResolvedIssuerOptions[] {
  const { faults, allowInsecureRequests } = context;
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_ISSUERS || !given.every(isObject)) {
    faults.fault(`issuers must be a list of 1 to ${MAX_ISSUERS} issuers, each with issuer, clientId and so on`);
    return [];
  }
  const issuers = given.map((each, at) => {
    const own = new ConfigurationFaults();
    const resolved = resolveIssuerOptions(each, { faults: own, allowInsecureRequests }, hasSignatures);
    // All scopes of the first issuer count, because its administrator also controls this service.
    const { mapPermissions, acceptedScopes } = each as Partial<IssuerOptions>;
    if (at > 0 && mapPermissions === undefined && acceptedScopes === undefined) {
      own.fault('acceptedScopes or mapPermissions must be given, to limit the tokens of this issuer');
    }
    for (const fault of own.all) faults.fault(`issuers[${at}]: ${fault}`);
    return at === 0 ? resolved : { ...resolved, acceptedAcr: resolved.acceptedAcr ?? [] };
  });
  issuers.forEach(({ issuer }, at) => {
    if (issuer !== '' && issuers.findIndex((other) => other.issuer === issuer) < at) {
      faults.fault(`issuers[${at}]: another entry in the list has the same issuer`);
    }
  });
  if (issuers.filter(({ profile }) => profile === 'rfc7662').length > 1) {
    faults.fault(
      'issuers can contain only one with the profile "rfc7662", because its tokens need not name their issuer',
    );
  }
  return issuers;
}

const isObject = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !Array.isArray(given);
