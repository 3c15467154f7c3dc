import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { mcpRequestAdapter } from 'nestjs-keycloak-s2s-mcp';
import { OrdersClient } from './orders.client.js';

export interface OrderToolsSettings {
  readonly issuer: string;
  readonly clientSecret: string;
  /** The URL at which agents reach the tools, such as `https://tools.example.com/mcp`. */
  readonly resource: string;
  readonly serviceBUrl: string;
  readonly allowInsecureRequests?: boolean;
}

@Module({})
export class OrderToolsModule {
  static register(settings: OrderToolsSettings, controllers: Type[]): DynamicModule {
    const { issuer, clientSecret, resource, serviceBUrl, allowInsecureRequests = false } = settings;
    return {
      module: OrderToolsModule,
      // #region imports
      imports: [
        KeycloakModule.forRoot({
          issuer,
          clientId: 'order-tools',
          clientSecret,
          protectedResource: { resource },
          requestAdapters: [mcpRequestAdapter()],
          allowInsecureRequests,
        }),
        KeycloakModule.forFeature([
          {
            name: 'service-b',
            baseUrl: serviceBUrl,
            audience: 'service-b',
            scopes: { onBehalfOf: ['orders.approve', 'receipts.read'] },
          },
        ]),
      ],
      // #endregion imports
      controllers,
      providers: [OrdersClient],
    };
  }
}
