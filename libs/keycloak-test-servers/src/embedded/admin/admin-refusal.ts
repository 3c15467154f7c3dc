export class AdminRefusal extends Error {
  override readonly name = 'AdminRefusal';

  constructor(
    readonly status: number,
    readonly members: Readonly<Record<string, unknown>>,
  ) {
    super(JSON.stringify(members));
  }
}

export const notFound = (error: string): AdminRefusal => new AdminRefusal(404, { error });

/** Answers 501 for an unsupported request, since a test would mistake an ignored request for a success. */
export const notImplemented = (what: string): AdminRefusal =>
  new AdminRefusal(501, { error: `The embedded server does not have ${what}: use a real Keycloak` });
