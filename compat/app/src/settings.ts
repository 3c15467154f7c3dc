import type { KeycloakModuleOptions } from 'nestjs-keycloak-s2s';

export type Settings = Omit<KeycloakModuleOptions, 'clientId' | 'clientSecret'> & { readonly clientSecret: string };
