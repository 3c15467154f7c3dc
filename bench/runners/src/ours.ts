import { Controller, Get, Module } from '@nestjs/common';
import { Caller, InjectServiceClient, KeycloakModule, RequirePermission } from 'nestjs-keycloak-s2s';
import { ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

@Controller('route')
export class RouteController {
  constructor(@InjectServiceClient('stock') private readonly stock: ServiceClient) {}

  @Get()
  @RequirePermission('orders.read')
  answer(@Caller() caller: VerifiedAccessToken): object {
    return { subject: caller.subject, calls: this.stock instanceof ServiceClient };
  }
}

@Module({
  imports: [
    KeycloakModule.forRoot({
      issuer: process.env['ISSUER'] ?? '',
      clientId: 'service-b',
      clientSecret: 'secret',
      allowInsecureRequests: true,
    }),
    KeycloakModule.forFeature([{ name: 'stock', audience: 'stock', baseUrl: 'http://127.0.0.1:1' }]),
  ],
  controllers: [RouteController],
})
export class Application {}
