import { Controller, Get } from '@nestjs/common';
import { Caller, Authenticated, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

export interface Whoami {
  readonly issuer: string;
  readonly subject: string;
  readonly username: string | undefined;
  readonly email: string | undefined;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** The claim `azp`: the client to which the token was issued. */
  readonly caller: string;
  readonly audience: readonly string[];
  /** The expiry of the token in ISO 8601. */
  readonly expiry: string;
}

@Controller('api/whoami')
export class WhoamiController {
  @Get()
  @Authenticated()
  whoami(@Caller() token: VerifiedAccessToken): Whoami {
    return {
      issuer: token.issuer,
      subject: token.subject,
      username: token.username,
      email: token.email,
      roles: token.realmRoles,
      permissions: [...token.permissions],
      caller: token.clientId,
      audience: token.audience,
      expiry: new Date(token.expiresAt * 1000).toISOString(),
    };
  }
}
