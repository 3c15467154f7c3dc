/** A refusal in OAuth's own words: status, error code and description. */

export class OAuthRefusal extends Error {
  override readonly name = 'OAuthRefusal';

  constructor(
    readonly status: number,
    /** RFC 6749 §5.2, or a code of Keycloak's own. */
    readonly error: string,
    /** What Keycloak writes. Clients that tell its refusals apart have nothing else to go by. */
    readonly description: string,
  ) {
    super(`${error}: ${description}`);
  }
}
