import { AuthorizationServerError } from '../protocol/authorization-server-error.js';

export interface NamedAudiences {
  readonly issuer: string;
  readonly audiences: Readonly<Record<string, string>>;
}

/** A client id is valid only at its issuer, because another issuer may use the same id for another client. */
export class ServiceAudiences {
  readonly only: string | undefined;

  constructor(
    private readonly service: string,
    private readonly named: NamedAudiences,
    hasOneIssuer: boolean,
  ) {
    this.only = hasOneIssuer ? Object.values(named.audiences)[0] : undefined;
  }

  get issuer(): string {
    return this.named.issuer;
  }

  at(issuer: string): string {
    const { audiences } = this.named;
    const audience = Object.hasOwn(audiences, issuer) ? audiences[issuer] : undefined;
    if (audience !== undefined) return audience;
    throw new AuthorizationServerError('authorization_server_refused', {
      reason: 'no_audience_at_issuer',
      fields: { called: this.service, iss: issuer },
    });
  }
}
