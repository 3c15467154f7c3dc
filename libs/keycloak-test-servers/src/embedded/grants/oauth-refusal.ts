export class OAuthRefusal extends Error {
  override readonly name = 'OAuthRefusal';

  constructor(
    readonly status: number,
    readonly error: string,
    /** Clients can distinguish Keycloak's errors only by this text. */
    readonly description: string,
  ) {
    super(`${error}: ${description}`);
  }
}
