import { matches } from 'class-validator';
import { ConfigurationError, type ClientCredentials } from 'nestjs-keycloak-s2s';
import {
  clientAssertionFile,
  clientSecretFile,
  privateKeyJwt,
  type ClientAuthentication,
  type PrivateKeyJwt,
} from 'nestjs-keycloak-s2s/client-authentication';
import type { Variables } from './variables.js';

export interface ClientSettings {
  readonly keycloak: ClientCredentials;
  /** Set if the service signs assertions and must publish its public keys. */
  readonly privateKey?: PrivateKeyJwt;
  /** The secret for attacks in demo mode, or empty if there is none. */
  readonly secret: string;
}

/** The form of the secrets that this repository publishes, such as `a-secret`. */
const DEMO_SECRET = /^[a-z0-9]+-secret$/;

export function refusePublishedSecret(variables: Variables, name: string, secret: string, demoMode: boolean): void {
  if (demoMode || !matches(secret, DEMO_SECRET)) return;
  variables.fault(`${name} is a published demo secret or looks like one: use one of your own, or set DEMO_MODE=true`);
}

export function readClientSettings(variables: Variables, prefix: string, demoMode: boolean): ClientSettings {
  const [keyName, assertionName] = [`${prefix}_CLIENT_KEY_FILE`, `${prefix}_CLIENT_ASSERTION_FILE`];
  const keyFile = variables.text(keyName, '');
  const assertionFile = variables.text(assertionName, '');
  const isWithoutSecret = keyFile !== '' || assertionFile !== '';
  const secretName = `${prefix}_CLIENT_SECRET`;
  const secretFile = variables.text(`${secretName}_FILE`, '');
  const secret = variables.secret(secretName, isWithoutSecret ? '' : undefined);
  if ([keyFile, assertionFile, secret].filter((given) => given !== '').length > 1) {
    variables.fault(`${secretName}, ${keyName} and ${assertionName} exclude each other`);
  }
  refusePublishedSecret(variables, secretName, secret, demoMode);
  if (keyFile !== '') {
    const privateKey = made(variables, keyName, () => privateKeyJwt({ keyFile }));
    return { secret, keycloak: withAuthentication(privateKey), ...(privateKey === undefined ? {} : { privateKey }) };
  }
  if (assertionFile !== '') {
    const authentication = made(variables, assertionName, () => clientAssertionFile(assertionFile));
    return { secret, keycloak: withAuthentication(authentication) };
  }
  // If the file is unreadable, the secret is empty and `variables` already reports the fault.
  if (secretFile === '' || secret === '') return { secret, keycloak: { clientSecret: secret } };
  const authentication = made(variables, `${secretName}_FILE`, () => clientSecretFile(secretFile));
  return { secret, keycloak: withAuthentication(authentication) };
}

/** Replaces an invalid credential, whose fault `variables` reports. */
export const NO_SECRET: ClientCredentials = { clientSecret: '' };

const withAuthentication = (clientAuthentication: ClientAuthentication | undefined): ClientCredentials =>
  clientAuthentication === undefined ? NO_SECRET : { clientAuthentication };

export function made<T>(variables: Variables, name: string, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const fault of error.faults) variables.fault(`${name}: ${fault}`);
    return undefined;
  }
}
