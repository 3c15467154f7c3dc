import { Module } from '@nestjs/common';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { AppController } from './app.controller';
import { AppService } from './app.service';
import { OrdersController } from './orders.controller';
import { StockClient } from './stock.client';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

@Module({
  imports: [
    KeycloakModule.forRootAsync({
      useFactory: () => ({
        issuer: required('KEYCLOAK_ISSUER'),
        clientId: 'orders',
        clientSecret: required('KEYCLOAK_CLIENT_SECRET'),
        allowInsecureRequests: process.env.NODE_ENV === 'development',
      }),
    }),
    KeycloakModule.forFeature([
      {
        name: 'inventory',
        baseUrl: process.env.INVENTORY_URL ?? 'https://inventory.internal',
        audience: 'inventory',
        scopes: { onBehalfOf: ['stock.read'] },
      },
    ]),
  ],
  controllers: [AppController, OrdersController],
  providers: [AppService, StockClient],
})
export class AppModule {}
