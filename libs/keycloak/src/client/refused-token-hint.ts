import type { IssuedToken } from '../protocol/issued-token.js';
import { loggableText } from '../protocol/loggable-text.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';
import { readBearerChallenge, readBearerRealm } from '../protocol/www-authenticate.js';
import type { AnswerHead } from './answer-head.js';
import { isPieceOfToken } from './service-call-error.js';

/** A challenge without `error` means that no token arrived (RFC 6750 §3.1), perhaps because of a proxy. */
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
      return `${service} answered, but the token is for ${others}. The audience mapper of a client scope names the wrong client: correct the mapper in the scope of this call.`;
    }
    return `The service that answered says that it is ${named}, but the token is for ${others}. If the address of ${service} leads to ${named}, compare the host and the port in \`call\`. If ${service} runs with the client id of ${named}, correct its clientId.`;
  }
  if (readBearerChallenge(challenge) !== undefined) return undefined;
  if (challenge === undefined) {
    return `${service} answers 401 without a challenge, so its own guard or a gateway refused the token. Compare what it expects with the audience of the token (${loggableText(audiences.join(' ')) ?? 'none'}). A proxy may also have removed the Authorization header.`;
  }
  return `${service} answers as if the request had no token. A proxy or another intermediary removes the Authorization header. Configure it to forward the header.`;
}
