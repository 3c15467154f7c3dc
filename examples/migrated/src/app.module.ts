import { Module } from '@nestjs/common';
import { KeycloakModule, realmRoles } from 'nestjs-keycloak-s2s';
import { OrdersController } from './orders.controller';
import { StockClient } from './stock.client';

const { KEYCLOAK_URL = '', CLIENT_SECRET = '', INVENTORY_URL = '' } = process.env;

@Module({
  // #region imports
  imports: [
    KeycloakModule.forRoot({
      issuer: `${KEYCLOAK_URL}/realms/shop`,
      clientId: 'orders',
      clientSecret: CLIENT_SECRET,
      mapPermissions: realmRoles,
      allowInsecureRequests: true, // for a server on this machine
    }),
    KeycloakModule.forFeature([{ name: 'inventory', baseUrl: INVENTORY_URL, audience: 'inventory' }]),
  ],
  // #endregion imports
  controllers: [OrdersController],
  providers: [StockClient],
})
export class AppModule {}
