/** Issuer options: what each option of one issuer means, its kind, default and range, and the check at boot. */
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

/** One realm, or another authorization server, whose tokens are accepted, and this service's client there. */
export interface IssuerOptions {
  /**
   * The `iss` of every token that is accepted of it, exactly: `https://<server>/realms/<realm>`, without a final slash. With another `profile`: as the server writes it (RFC 8414 §2).
   */
  readonly issuer: string;
  /**
   * Where this service reaches the server when that is not where `issuer` points, such as `http://keycloak:8080` inside
   * a network. Without the `/realms/…` part; with another `profile` in place of the origin of `issuer`. Default: the part of `issuer` before it.
   */
  readonly internalServerUrl?: string;
  /**
   * What access tokens are at this server. `keycloak`: what Keycloak issues. `rfc9068`: JWTs whose header says `at+jwt`. `rfc7662`: whatever its introspection says of them, opaque tokens
   * too; not with `jwt`. See docs/other-servers.md for what each demands. Default `keycloak`.
   */
  readonly profile?: ProfileName;
  /** This service's client id at this issuer. It is also the audience that every accepted token must name. */
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
  readonly mapPermissions?: PermissionMapper;
  /**
   * The scopes of this issuer's tokens that count as permissions here; its other scopes are nobody's permission. Default: all of them. Of several issuers only the first has that
   * default: each other one must have this or `mapPermissions`, since its administrator can call a scope whatever the routes here demand.
   */
  readonly acceptedScopes?: readonly string[];
  /**
   * The `acr` of this issuer's tokens that count for `@RequireStepUp({ acr })`: another issuer may call anything `gold`. Default: of the first issuer all, of each other one none. When the user has logged in (`auth_time`) is
   * believed of each.
   */
  readonly acceptedAcr?: readonly string[];
  /** Scopes that the realm adds to each of this client's tokens unasked. Default: `profile` and `email`. */
  readonly expectedDefaultScopes?: readonly string[];
}

/** Every option filled in and checked; the secret is in `clientAuthentication`, which does not show it. */
export interface ResolvedIssuerOptions extends IssuerAddresses {
  readonly profile: ProfileName;
  /** This service at this issuer, which `aud` must hold. */
  readonly clientId: string;
  readonly clientAuthentication: ClientAuthentication;
  readonly tls: TrustedAuthorities;
  readonly mapPermissions: PermissionMapper | undefined;
  /** Undefined where all of them count. */
  readonly acceptedScopes: readonly string[] | undefined;
  /** Undefined where all of them count. */
  readonly acceptedAcr: readonly string[] | undefined;
  readonly expectedDefaultScopes: readonly string[];
}

/** Kind, default and range of each. */
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

/** Others than those of the table are `otherNames`, or faults. `hasSignatures`: whether tokens are verified by their signature. */
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
      'mapPermissions and acceptedScopes exclude each other: what mapPermissions gives takes the place of scopes',
    );
  }
  if (options.profile === 'rfc7662' && hasSignatures) {
    faults.fault('profile is "rfc7662", whose tokens may have no signature, so jwt must not be given');
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

/** More are no closed list that anybody keeps. */
const MAX_ISSUERS = 100;

/** A list of them, of which the first is that of this service. None where none are given. */
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
    // Of the first one all scopes count: its administrator is that of this service.
    const { mapPermissions, acceptedScopes } = each as Partial<IssuerOptions>;
    if (at > 0 && mapPermissions === undefined && acceptedScopes === undefined) {
      own.fault('acceptedScopes or mapPermissions must be given: what tokens of this issuer may do here');
    }
    for (const fault of own.all) faults.fault(`issuers[${at}]: ${fault}`);
    return at === 0 ? resolved : { ...resolved, acceptedAcr: resolved.acceptedAcr ?? [] };
  });
  issuers.forEach(({ issuer }, at) => {
    if (issuer !== '' && issuers.findIndex((other) => other.issuer === issuer) < at) {
      faults.fault(`issuers[${at}]: issuer is that of another one in the list`);
    }
  });
  if (issuers.filter(({ profile }) => profile === 'rfc7662').length > 1) {
    faults.fault('issuers can have one with the profile "rfc7662": its tokens need not say from whom they are');
  }
  return issuers;
}

const isObject = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !Array.isArray(given);
