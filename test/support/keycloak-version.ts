/** What the Keycloak of `npm test` does as older versions do. */
import { testServer } from 'keycloak-test-servers';

/** Before 26.6 a token is active whoever asks; the guard then sees its audience. Not so at the embedded server. */
export function findsActiveWhoeverAsks(): boolean {
  const { kind, version } = testServer();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kind !== 'embedded' && major === 26 && minor < 6;
}
