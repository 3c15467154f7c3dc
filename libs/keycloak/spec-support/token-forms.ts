import { CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../src/protocol/identifiers.js';
import type { TokenEndpoint } from '../src/authorization-server/token-endpoint.js';
import type { IssuedToken } from '../src/protocol/issued-token.js';
import { subjectTokenText } from '../src/protocol/verified-access-token.js';
import { testAccessToken } from '../src/testing/test-access-token.js';

export type TokenForm =
  | { readonly grant_type: typeof CLIENT_CREDENTIALS_GRANT; readonly scope: string }
  | {
      readonly grant_type: typeof TOKEN_EXCHANGE_GRANT;
      readonly subject_token: string;
      readonly audience: string;
      readonly scope: string;
    };

export type Endpoint = Pick<TokenEndpoint, 'clientCredentials' | 'exchange'>;

export const endpointOf = (answer: (form: TokenForm) => Promise<IssuedToken>): Endpoint => ({
  clientCredentials: (scope) => answer({ grant_type: CLIENT_CREDENTIALS_GRANT, scope }),
  exchange: (subject, audience, scope) =>
    answer({ grant_type: TOKEN_EXCHANGE_GRANT, subject_token: subjectTokenText(subject), audience, scope }),
});

export const requestOf =
  (endpoint: Endpoint) =>
  async (form: TokenForm): Promise<IssuedToken> =>
    form.grant_type === TOKEN_EXCHANGE_GRANT
      ? endpoint.exchange(testAccessToken({ text: form.subject_token }), form.audience, form.scope)
      : endpoint.clientCredentials(form.scope);
