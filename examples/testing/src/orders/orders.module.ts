import { Module, type DynamicModule } from '@nestjs/common';
import { KeycloakModule, type CommonModuleOptions } from 'nestjs-keycloak-s2s';
import { OrdersController } from './orders.controller.js';
import { StockClient } from './stock.client.js';

export interface OrdersSettings extends CommonModuleOptions {
  readonly issuer: string;
  readonly clientSecret: string;
  readonly inventoryUrl: string;
}

// #region module
@Module({})
export class OrdersModule {
  static register({ inventoryUrl, ...keycloak }: OrdersSettings): DynamicModule {
    return {
      module: OrdersModule,
      // #region imports
      imports: [
        KeycloakModule.forRoot({ clientId: 'orders', ...keycloak }),
        KeycloakModule.forFeature([
          { name: 'inventory', baseUrl: inventoryUrl, audience: 'inventory', scopes: { onBehalfOf: ['stock.read'] } },
        ]),
      ],
      // #endregion imports
      controllers: [OrdersController],
      providers: [StockClient],
    };
  }
}
// #endregion module
