/** RFC 6749 §4.1.2, RFC 9207. */
import type { HttpAnswer } from '../http/http-call.js';
import type { Callback } from '../state/authorization-request.js';

export function callbackAnswer(
  issuer: string,
  { redirectUri, responseMode, state }: Callback,
  members: Readonly<Record<string, string | undefined>>,
): HttpAnswer {
  const all = withoutMissing({ ...members, state, iss: issuer });
  return redirect(
    responseMode === 'query' ? withQuery(redirectUri, all) : `${redirectUri}#${new URLSearchParams(all)}`,
  );
}

export function withQuery(uri: string, members: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(withoutMissing(members)).toString();
  if (query === '') return uri;
  return uri + (uri.includes('?') ? '&' : '?') + query;
}

export const redirect = (location: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer => ({
  status: 302,
  headers: { location, 'cache-control': 'no-store, must-revalidate, max-age=0', ...headers },
  body: '',
});

const withoutMissing = (members: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
