/** Several issuers: what the library is given where a service accepts the tokens of others than its own realm. */
import type { AnyModuleOptions, IssuerOptions, ServiceOptions } from 'nestjs-keycloak-s2s';
import type { ServiceSettings } from './service-settings.js';

/** The options that are of one issuer; the others are of all. */
const OF_ONE_ISSUER: Readonly<Record<keyof IssuerOptions, true>> = {
  issuer: true,
  internalServerUrl: true,
  profile: true,
  clientId: true,
  clientSecret: true,
  clientAuthentication: true,
  tls: true,
  mapPermissions: true,
  acceptedScopes: true,
  acceptedAcr: true,
  expectedDefaultScopes: true,
};

type Issuers = Pick<ServiceSettings<string>, 'keycloak' | 'otherIssuers'>;

/** For `KeycloakModule.forRoot`: the service's own realm comes first. */
export function moduleOptionsOf({ keycloak, otherIssuers = [] }: Issuers): AnyModuleOptions {
  if (otherIssuers.length === 0) return keycloak;
  const those = (isOfOne: boolean): object =>
    Object.fromEntries(Object.entries(keycloak).filter(([name]) => Object.hasOwn(OF_ONE_ISSUER, name) === isOfOne));
  return { ...those(false), issuers: [those(true) as IssuerOptions, ...otherIssuers.map(({ options }) => options)] };
}

/** For `KeycloakModule.forFeature`: in its own realm a service is called by its name. */
export function audienceOf(service: string, { keycloak, otherIssuers = [] }: Issuers): ServiceOptions['audience'] {
  if (otherIssuers.length === 0) return service;
  const there = otherIssuers.flatMap(({ options, audiences }) =>
    Object.entries(audiences)
      .filter(([name]) => name === service)
      .map(([, clientId]) => [options.issuer, clientId] as const),
  );
  return Object.fromEntries([[keycloak.issuer, service], ...there]);
}
