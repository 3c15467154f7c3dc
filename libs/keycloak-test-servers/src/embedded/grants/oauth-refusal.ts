/** OAuthRefusal: an OAuth error answer with status, error code and description. */

export class OAuthRefusal extends Error {
  override readonly name = 'OAuthRefusal';

  constructor(
    readonly status: number,
    /** An error code of RFC 6749 §5.2 or of Keycloak. */
    readonly error: string,
    /** The text of Keycloak. Clients have no other way to distinguish its refusals. */
    readonly description: string,
  ) {
    super(`${error}: ${description}`);
  }
}
