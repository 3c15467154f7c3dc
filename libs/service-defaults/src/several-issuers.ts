import type { AnyModuleOptions, ClientCredentials, IssuerOptions, ServiceOptions } from 'nestjs-keycloak-s2s';
import type { ServiceSettings } from './service-settings.js';

/** The options of a single issuer; all other options apply to every issuer. */
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

export function moduleOptionsOf({ keycloak, otherIssuers = [] }: Issuers): AnyModuleOptions {
  if (otherIssuers.length === 0) return keycloak;
  const those = (isOfOne: boolean): object =>
    Object.fromEntries(Object.entries(keycloak).filter(([name]) => Object.hasOwn(OF_ONE_ISSUER, name) === isOfOne));
  return {
    ...those(false),
    issuers: [those(true) as IssuerOptions & ClientCredentials, ...otherIssuers.map(({ options }) => options)],
  };
}

export function audienceOf(service: string, { keycloak, otherIssuers = [] }: Issuers): ServiceOptions['audience'] {
  if (otherIssuers.length === 0) return service;
  const there = otherIssuers.flatMap(({ options, audiences }) =>
    Object.entries(audiences)
      .filter(([name]) => name === service)
      .map(([, clientId]) => [options.issuer, clientId] as const),
  );
  return Object.fromEntries([[keycloak.issuer, service], ...there]);
}
