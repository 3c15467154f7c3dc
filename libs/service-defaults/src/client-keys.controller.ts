/** ClientKeysController: the public keys of a service that signs its client assertions. */
import { Controller, Get, Header, Inject, NotFoundException } from '@nestjs/common';
import { Public, type PrivateKeyJwt, type PublicJwks } from 'nestjs-keycloak-s2s';

export const PRIVATE_KEY = Symbol('private key');

@Public()
@Controller('.well-known')
export class ClientKeysController {
  constructor(@Inject(PRIVATE_KEY) private readonly privateKey: PrivateKeyJwt | undefined) {}

  /** For the client's JWKS URL in Keycloak; 404 where there is no private key. */
  @Get('jwks.json')
  @Header('Content-Type', 'application/jwk-set+json')
  @Header('Cache-Control', 'max-age=60')
  keys(): Promise<PublicJwks> {
    if (this.privateKey === undefined) throw new NotFoundException();
    return this.privateKey.publicKeys();
  }
}
