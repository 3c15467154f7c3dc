export class OAuthRefusal extends Error {
  override readonly name = 'OAuthRefusal';

  constructor(
    readonly status: number,
    readonly error: string,
    /** Some errors of Keycloak differ only in this text. */
    readonly description: string,
  ) {
    super(`${error}: ${description}`);
  }
}
