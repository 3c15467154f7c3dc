import { callbackAnswer } from './callback.js';
import { errorPage } from './pages.js';
import type { HttpAnswer } from '../http/http-call.js';
import type { Callback } from '../state/authorization-request.js';

/** A refusal on an error page, because the client or the redirect URI is untrusted (RFC 6749 §4.1.2.1). */
export class PageRefusal extends Error {
  override readonly name = 'PageRefusal';
}

/** A refusal that redirects the browser to a verified redirect URI (RFC 6749 §4.1.2.1). */
export class CallbackRefusal extends Error {
  override readonly name = 'CallbackRefusal';

  constructor(
    readonly callback: Callback,
    readonly error: string,
    readonly description?: string,
  ) {
    super(error);
  }
}

export function browserRefusalAsAnswer(issuer: string, refusal: unknown): HttpAnswer | undefined {
  if (refusal instanceof PageRefusal) return errorPage(refusal.message);
  if (!(refusal instanceof CallbackRefusal)) return undefined;
  const { callback, error, description } = refusal;
  return callbackAnswer(issuer, callback, { error, error_description: description });
}
