import type { IssuedToken } from '../protocol/issued-token.js';
import { loggableText } from '../protocol/loggable-text.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';
import { readBearerChallenge, readBearerRealm } from '../protocol/www-authenticate.js';
import type { AnswerHead } from './answer-head.js';
import { isPieceOfToken } from './service-call-error.js';

/**
 * A challenge without `error` means that the request arrived without a token (RFC 6750 §3.1), so a proxy may have
 * removed the token.
 */
export function refusedTokenHint(
  service: string,
  { status, headers }: AnswerHead,
  token: IssuedToken | undefined,
): string | undefined {
  if (status !== 401 || token === undefined) return undefined;
  const text = token.reveal();
  const challenge = headers['www-authenticate'];
  const realm = readBearerRealm(challenge);
  const named = realm === undefined || isPieceOfToken(realm, text) ? undefined : loggableText(realm);
  const audiences = unverifiedAudiences(text);
  if (named !== undefined && audiences.length > 0 && !audiences.includes(named)) {
    const others = loggableText(audiences.join(' ')) ?? 'others';
    if (named === service) {
      return `${service} answered, and the token is for ${others}: the audience mapper of a client scope names the wrong client. Mend the mapper of the scope of this call.`;
    }
    return `What answered calls itself ${named}, and the token is for ${others}. Either the address of ${service} leads to ${named}: compare the host and the port in \`call\`. Or ${service} runs with the client id of ${named}: mend its clientId.`;
  }
  if (readBearerChallenge(challenge) !== undefined) return undefined;
  return `${service} answers as if it saw no token, although one was sent: something on the way, such as a proxy, takes the header Authorization out of requests. Look at what stands between, and have it pass the header on.`;
}
