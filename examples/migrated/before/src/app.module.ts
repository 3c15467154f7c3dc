import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, KeycloakConnectModule, ResourceGuard, RoleGuard, TokenValidation } from 'nest-keycloak-connect';
import { OrdersController } from './orders.controller';
import { StockClient } from './stock.client';

const { KEYCLOAK_URL = '', CLIENT_SECRET = '' } = process.env;

@Module({
  // #region imports
  imports: [
    KeycloakConnectModule.register({
      authServerUrl: KEYCLOAK_URL,
      realm: 'shop',
      clientId: 'orders',
      secret: CLIENT_SECRET,
      tokenValidation: TokenValidation.ONLINE,
    }),
  ],
  // #endregion imports
  controllers: [OrdersController],
  providers: [
    StockClient,
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_GUARD, useClass: ResourceGuard },
    { provide: APP_GUARD, useClass: RoleGuard },
  ],
})
export class AppModule {}
