/** AdminRefusal: an error answer of the admin REST API, worded as in Keycloak. */

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

/** Used where Keycloak would act and this server can't: a test must not mistake an ignored request for a success. */
export const notImplemented = (what: string): AdminRefusal =>
  new AdminRefusal(501, { error: `The embedded server does not have ${what}: use a real Keycloak` });
