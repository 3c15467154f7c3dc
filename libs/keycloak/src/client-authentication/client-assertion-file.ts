/** Client assertion file: an assertion that a platform has signed for this service, and replaces before it expires. */
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
 * A client assertion from a file (RFC 7523 §2.2), such as the token of a service account that Kubernetes projects: then this service has no secret at
 * all. The server must trust who has signed it (in Keycloak: an identity provider, and the client authenticator "Signed JWT - Federated"), and its audience must be
 * what the server demands. It does NOT check the assertion, and sends it as long as it is in the file. Read, and read again, as `clientSecretFile` does.
 *
 * Throws `ConfigurationError` for a file that can't be read, or holds no JWT.
 */
export function clientAssertionFile(path: string): ClientAuthentication {
  return new AssertionFile(
    checkCredentialFile('clientAssertionFile', path, (text) =>
      isCompactJws(text) ? undefined : 'the file must hold a signed JWT, and nothing besides',
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
