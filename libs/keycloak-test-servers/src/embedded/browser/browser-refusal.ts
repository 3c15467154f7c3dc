/** A refusal that a browser is shown, or brings back to the client: what is no JSON. */
import { callbackAnswer, type Callback } from './callback.js';
import { errorPage } from './pages.js';
import type { HttpAnswer } from '../http/http-call.js';

/** Shown as a page: where the client or the address to return to is not to be trusted (RFC 6749 §4.1.2.1). */
export class PageRefusal extends Error {
  override readonly name = 'PageRefusal';
}

/** Sent back to the client, which is known and may have it (RFC 6749 §4.1.2.1). */
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

/** `undefined` when it is neither of them. */
export function browserRefusalAsAnswer(issuer: string, refusal: unknown): HttpAnswer | undefined {
  if (refusal instanceof PageRefusal) return errorPage(refusal.message);
  if (!(refusal instanceof CallbackRefusal)) return undefined;
  const { callback, error, description } = refusal;
  return callbackAnswer(issuer, callback, { error, error_description: description });
}
