import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { IssuedToken } from '../protocol/issued-token.js';
import type { TokenRequest } from './token-request.js';

export interface Log {
  log(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class TokenSourceLog {
  constructor(private readonly logger: Log) {}

  obtained(request: TokenRequest, token: IssuedToken, durationMs: number): void {
    const fields = {
      scope: request.scope,
      lifetimeSeconds: token.lifetimeSeconds,
      durationMs: Math.round(durationMs),
    };
    if (request.grant === TOKEN_EXCHANGE_GRANT) {
      this.logger.log('Token exchanged', { sub: request.subject.subject, aud: request.audience, ...fields });
    } else this.logger.log('Token obtained by client credentials', fields);
  }
}
