/** A refusal of the admin REST API, in Keycloak's words. */

export class AdminRefusal extends Error {
  override readonly name = 'AdminRefusal';

  constructor(
    readonly status: number,
    /** `error`, or `errorMessage` where a form of the console shows it. */
    readonly members: Readonly<Record<string, unknown>>,
  ) {
    super(JSON.stringify(members));
  }
}

export const notFound = (error: string): AdminRefusal => new AdminRefusal(404, { error });

/** Loud, where Keycloak would do something: no test must take silence for a success. */
export const notImplemented = (what: string): AdminRefusal =>
  new AdminRefusal(501, { error: `The embedded server does not have ${what}: use a real Keycloak` });
