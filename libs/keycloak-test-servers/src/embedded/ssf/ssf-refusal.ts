export class SsfRefusal extends Error {
  override readonly name = 'SsfRefusal';

  constructor(
    readonly status: number,
    readonly members?: Readonly<Record<string, unknown>>,
  ) {
    super(JSON.stringify(members ?? status));
  }
}

/** Keycloak answers with 401 and no reason. */
export const NOT_PERMITTED = new SsfRefusal(401);

export const NOT_FOUND = new SsfRefusal(404, { error: 'HTTP 404 Not Found' });

export const NOT_ALLOWED = new SsfRefusal(405, { error: 'HTTP 405 Method Not Allowed' });

export const NO_SUCH_STREAM = new SsfRefusal(404);

export const streamError = (status: number, error_description: string): SsfRefusal =>
  new SsfRefusal(status, { error: 'stream_error', error_description });

export const NO_STREAM_ID = streamError(400, 'Stream ID is required');

export const SERVER_ERROR = new SsfRefusal(500, {
  error: 'HTTP 500 Internal Server Error',
  error_description: 'For more on this error consult the server log.',
});

export const notSupported = (what: string): SsfRefusal =>
  new SsfRefusal(501, { error: `The embedded server does not have ${what}: use a real Keycloak` });
