import { Controller, Get, Header, Inject, Module, type DynamicModule } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';
import type { PrivateKeyJwt, PublicJwks } from 'nestjs-keycloak-s2s/client-authentication';

const PRIVATE_KEY = Symbol('private key');

@Public()
@Controller('.well-known')
class ClientKeysController {
  constructor(@Inject(PRIVATE_KEY) private readonly privateKey: PrivateKeyJwt) {}

  /** The client's JWKS URL in Keycloak. */
  @Get('jwks.json')
  @Header('Content-Type', 'application/jwk-set+json')
  @Header('Cache-Control', 'max-age=60')
  keys(): Promise<PublicJwks> {
    return this.privateKey.publicKeys();
  }
}

@Module({ controllers: [ClientKeysController] })
export class ClientKeysModule {
  static register(privateKey: PrivateKeyJwt): DynamicModule {
    return { module: ClientKeysModule, providers: [{ provide: PRIVATE_KEY, useValue: privateKey }] };
  }
}
