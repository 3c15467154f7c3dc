import { isCompactJws } from '../protocol/token-form.js';
import type {
  ClientAuthentication,
  ClientAuthenticationContext,
  ClientCredential,
  ConnectedClientAuthentication,
} from './client-authentication.js';
import { checkCredentialFile, credentialReader, FILE_REFRESH_MS, FILE_TIMEOUT_MS } from './credential-file.js';
import { RenewableCredential } from './renewable-credential.js';

/**
 * Authenticates with a client assertion from a file (RFC 7523 §2.2), such as a projected Kubernetes token. The server
 * must trust the signer: Keycloak requires an identity provider and the client authenticator "Signed JWT - Federated".
 * This function does NOT verify the assertion or its expiry. The file is reread at the same times as the file of
 * `clientSecretFile`.
 *
 * Throws `ConfigurationError` if the file can't be read or does not contain a JWT.
 */
export function clientAssertionFile(path: string): ClientAuthentication {
  return new AssertionFile(
    checkCredentialFile('clientAssertionFile', path, (text) =>
      isCompactJws(text) ? undefined : 'the file must contain a signed JWT and nothing else',
    ),
  );
}

class AssertionFile implements ClientAuthentication {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  connect(context: ClientAuthenticationContext): ConnectedClientAuthentication {
    return new RenewableCredential(
      {
        read: credentialReader(this.#path),
        parse: toAssertion,
        refreshMs: FILE_REFRESH_MS,
        timeoutMs: FILE_TIMEOUT_MS,
      },
      context,
    );
  }
}

function toAssertion(assertion: string): ClientCredential {
  if (!isCompactJws(assertion)) throw new TypeError('Not a signed JWT');
  return { kind: 'assertion', assertion };
}
