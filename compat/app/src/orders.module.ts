/** The service `orders`: a route that is public, one that is guarded, one that was forgotten, and one that calls on behalf of its caller. */
import { Controller, Get, Injectable, Module, type DynamicModule } from '@nestjs/common';
import {
  AccessToken,
  InjectServiceClient,
  KeycloakModule,
  Public,
  RequirePermission,
  ServiceClient,
  VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import type { Settings } from './settings.js';

@Injectable()
export class StockClient {
  constructor(@InjectServiceClient('inventory') private readonly inventory: ServiceClient) {}

  read(caller: VerifiedAccessToken): Promise<object> {
    return this.inventory.onBehalfOf(caller, 'stock.read').get('/stock');
  }
}

@Controller('orders')
export class OrdersController {
  constructor(private readonly stock: StockClient) {}

  @Get('public')
  @Public()
  open(): object {
    return { open: true };
  }

  @Get('guarded')
  @RequirePermission('orders.read')
  guarded(@AccessToken() caller: VerifiedAccessToken): object {
    return { subject: caller.subject };
  }

  @Get('forgotten')
  forgotten(): object {
    return { open: 'and must not be' };
  }

  @Get('stock')
  @RequirePermission('orders.read')
  left(@AccessToken() caller: VerifiedAccessToken): Promise<object> {
    return this.stock.read(caller);
  }
}

@Module({})
export class OrdersModule {
  static register(settings: Settings, inventoryUrl: string): DynamicModule {
    return {
      module: OrdersModule,
      imports: [
        KeycloakModule.forRoot({ clientId: 'orders', ...settings }),
        KeycloakModule.forFeature([
          { name: 'inventory', baseUrl: inventoryUrl, audience: 'inventory', scopes: { onBehalfOf: ['stock.read'] } },
        ]),
      ],
      controllers: [OrdersController],
      providers: [StockClient],
    };
  }
}
