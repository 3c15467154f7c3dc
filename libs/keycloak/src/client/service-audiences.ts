/** ServiceAudiences: the client id of one other service at each issuer where it has one. */
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';

export interface NamedAudiences {
  /** Where tokens in this service's own name come from. */
  readonly issuer: string;
  /** Client ids, by issuer. */
  readonly audiences: Readonly<Record<string, string>>;
}

/** A name says nothing at another issuer, where somebody else may have it. */
export class ServiceAudiences {
  /** The audience, if the application has a single issuer. */
  readonly only: string | undefined;

  constructor(
    private readonly service: string,
    private readonly named: NamedAudiences,
    hasOneIssuer: boolean,
  ) {
    this.only = hasOneIssuer ? Object.values(named.audiences)[0] : undefined;
  }

  /** Where tokens in this service's own name come from. */
  get issuer(): string {
    return this.named.issuer;
  }

  /** Throws `AuthorizationServerError` `authorization_server_refused` (`no_audience_at_issuer`) where the registration of the service names none. */
  at(issuer: string): string {
    if (this.only !== undefined) return this.only;
    const { audiences } = this.named;
    const audience = Object.hasOwn(audiences, issuer) ? audiences[issuer] : undefined;
    if (audience !== undefined) return audience;
    throw new AuthorizationServerError('authorization_server_refused', {
      reason: 'no_audience_at_issuer',
      fields: { called: this.service, iss: issuer },
    });
  }
}
