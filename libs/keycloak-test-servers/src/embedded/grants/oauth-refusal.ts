export class OAuthRefusal extends Error {
  override readonly name = 'OAuthRefusal';

  constructor(
    readonly status: number,
    readonly error: string,
    /** Clients have no other way to distinguish Keycloak's errors. */
    readonly description: string,
  ) {
    super(`${error}: ${description}`);
  }
}
