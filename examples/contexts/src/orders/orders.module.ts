import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module, type DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { KeycloakModule, type CommonModuleOptions } from 'nestjs-keycloak-s2s';
import { graphqlRequestAdapter } from 'nestjs-keycloak-s2s/graphql';
import { microservicesRequestAdapter } from 'nestjs-keycloak-s2s/microservices';
import { websocketsRequestAdapter } from 'nestjs-keycloak-s2s/websockets';
import { OrdersConsumer } from './orders.consumer.js';
import { OrdersController } from './orders.controller.js';
import { OrdersGateway } from './orders.gateway.js';
import { OrdersResolver } from './orders.resolver.js';
import { StockMessages } from './stock-messages.js';

export interface OrdersSettings extends CommonModuleOptions {
  readonly issuer: string;
  readonly clientSecret: string;
}

@Module({})
export class OrdersModule {
  static register(keycloak: OrdersSettings): DynamicModule {
    return {
      module: OrdersModule,
      // #region imports
      imports: [
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          fieldResolverEnhancers: ['guards'],
        }),
        KeycloakModule.forRoot({
          clientId: 'orders',
          requestAdapters: [graphqlRequestAdapter(), microservicesRequestAdapter(), websocketsRequestAdapter()],
          ...keycloak,
        }),
      ],
      // #endregion imports
      controllers: [OrdersController, OrdersConsumer],
      providers: [OrdersResolver, OrdersGateway, StockMessages],
    };
  }
}
