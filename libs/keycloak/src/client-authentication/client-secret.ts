/** Client secret: one that is kept outside this process, and may be replaced while it runs. */
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
  /** Bound on one call of the function. Default 1000, 100 to 10000. */
  readonly timeoutMs?: number;
  /** How long a secret is used before the function is called again; it is called at once when the server refuses one. Default 300, 1 to 86400. */
  readonly refreshSeconds?: number;
}

/**
 * The client's secret from a file (`client_secret_basic`), as Docker and Kubernetes mount secrets. It is read when the options are made, and
 * again when it is used and was read 5 seconds ago; white space around it is dropped. When the server refuses the secret, it is read again at once, and once it has
 * changed, which half a second is waited for, the request is sent once more. A file that can't be read later on leaves the last secret in use, and is logged.
 *
 * Throws `ConfigurationError` for a file that can't be read, is empty, or has several lines.
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
 * The client's secret from a function (`client_secret_basic`), such as one that asks a vault. It is called when a secret is first needed, again after `refreshSeconds`,
 * and when the server refuses the one before; concurrent requests share a call. One that throws, or takes longer than `timeoutMs`, leaves the last secret in use, and is logged
 * without what it threw. Without any secret requests end with `AuthorizationServerError` (`client_credential_unreadable`).
 *
 * Throws `ConfigurationError` for faulty options.
 */
export function clientSecretFrom(
  read: () => string | Promise<string>,
  options: ClientSecretFromOptions = {},
): ClientAuthentication {
  const faults = new ConfigurationFaults();
  if (typeof read !== 'function') faults.fault('a function that gives the secret must be given');
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

/** As of the option `clientSecret`: what has one is no secret (RFC 6749, appendix A.2), and would be refused as a wrong one is. */
const faultOfSecret = (text: string): string | undefined =>
  /\p{Cc}/u.test(text) ? 'the file must have no line break or other control character in the secret' : undefined;

function toSecret(text: unknown): ClientCredential {
  const secret = typeof text === 'string' ? text.trim() : '';
  if (secret === '' || faultOfSecret(secret) !== undefined)
    throw new TypeError('A secret must be one line, and not empty');
  return { kind: 'secret', secret };
}
