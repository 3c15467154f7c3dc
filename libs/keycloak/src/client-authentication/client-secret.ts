import { ConfigurationError, ConfigurationFaults } from '../protocol/configuration-faults.js';
import type {
  ClientAuthentication,
  ClientAuthenticationContext,
  ClientCredential,
  ConnectedClientAuthentication,
} from './client-authentication.js';
import { checkCredentialFile, credentialReader, FILE_REFRESH_MS, FILE_TIMEOUT_MS } from './credential-file.js';
import { RenewableCredential, type CredentialSource } from './renewable-credential.js';

export interface ClientSecretFromOptions {
  /** The time limit for a call of the function, in milliseconds. Default 1000, 100 to 10000. */
  readonly timeoutMs?: number;
  /** The time in seconds for which a secret is used. Default 300, 1 to 86400. */
  readonly refreshSeconds?: number;
}

/**
 * Reads the client secret (`client_secret_basic`) from a file immediately, and trims white space. A request rereads the
 * file if the last read was at least 5 seconds ago.
 *
 * If the server refuses the secret, rereads the file repeatedly for up to half a second. If a later read fails, the
 * failure is logged and the last secret stays in use.
 *
 * Throws `ConfigurationError` if the file can't be read, is empty, or has several lines.
 */
export function clientSecretFile(path: string): ClientAuthentication {
  const file = checkCredentialFile('clientSecretFile', path, faultOfSecret);
  return new SecretSource({
    read: credentialReader(file),
    parse: toSecret,
    refreshMs: FILE_REFRESH_MS,
    timeoutMs: FILE_TIMEOUT_MS,
  });
}

/**
 * Gets the client secret from a function (`client_secret_basic`), for example from a vault. Calls the function for the
 * first request, after `refreshSeconds`, and after a refusal by the server. Concurrent requests share one call.
 *
 * If the function throws or exceeds `timeoutMs`, the last secret stays in use. The log does not contain the error that
 * the function throws. Until the function has returned a secret, requests fail with `AuthorizationServerError`
 * (`client_credential_unreadable`).
 *
 * Throws `ConfigurationError` for invalid options.
 */
export function clientSecretFrom(
  read: () => string | Promise<string>,
  options: ClientSecretFromOptions = {},
): ClientAuthentication {
  const faults = new ConfigurationFaults();
  if (typeof read !== 'function') faults.fault('clientSecretFrom() needs a function that returns the secret');
  const { timeoutMs = 1000, refreshSeconds = 300, ...others } = Object(options) as ClientSecretFromOptions;
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  faults.integer('timeoutMs', timeoutMs, 100, 10_000);
  faults.integer('refreshSeconds', refreshSeconds, 1, 86_400);
  faults.throwIfFaulty((all) => new ConfigurationError("clientSecretFrom can't be used", all));
  return new SecretSource({ read: async () => read(), parse: toSecret, refreshMs: refreshSeconds * 1000, timeoutMs });
}

class SecretSource implements ClientAuthentication {
  readonly #source: CredentialSource;

  constructor(source: CredentialSource) {
    this.#source = source;
  }

  connect(context: ClientAuthenticationContext): ConnectedClientAuthentication {
    return new RenewableCredential(this.#source, context);
  }
}

/** Keycloak refuses a secret that contains a control character (RFC 6749, appendix A.2). */
const faultOfSecret = (text: string): string | undefined =>
  /\p{Cc}/u.test(text)
    ? 'the secret in the file must not contain a line break or another control character'
    : undefined;

function toSecret(text: unknown): ClientCredential {
  const secret = typeof text === 'string' ? text.trim() : '';
  if (secret === '' || faultOfSecret(secret) !== undefined)
    throw new TypeError('A secret must be one line and not empty');
  return { kind: 'secret', secret };
}
