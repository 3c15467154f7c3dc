import { Controller, Get, Injectable, Module, type DynamicModule } from '@nestjs/common';
import {
  Caller,
  InjectServiceClient,
  KeycloakModule,
  Public,
  RequirePermission,
  ServiceClient,
  VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { InjectServiceHttp, ServiceHttp, ServiceHttpModule } from 'nestjs-keycloak-s2s/axios';
import { firstValueFrom } from 'rxjs';
import type { Settings } from './settings.js';

@Injectable()
export class StockClient {
  constructor(
    @InjectServiceClient('inventory') private readonly inventory: ServiceClient,
    @InjectServiceHttp('inventory') private readonly inventoryHttp: ServiceHttp,
  ) {}

  read(caller: VerifiedAccessToken): Promise<object> {
    return this.inventory.onBehalfOf(caller, 'stock.read').get('/stock');
  }

  async readByHttpService(caller: VerifiedAccessToken): Promise<object> {
    return (await firstValueFrom(this.inventoryHttp.onBehalfOf(caller, 'stock.read').get<object>('/stock'))).data;
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
  guarded(@Caller() caller: VerifiedAccessToken): object {
    return { subject: caller.subject, ...(caller.actor && { actor: caller.actor }) };
  }

  @Get('forgotten')
  forgotten(): object {
    return { open: 'and must not be' };
  }

  @Get('stock')
  @RequirePermission('orders.read')
  left(@Caller() caller: VerifiedAccessToken): Promise<object> {
    return this.stock.read(caller);
  }

  @Get('stock-by-http-service')
  @RequirePermission('orders.read')
  leftByHttpService(@Caller() caller: VerifiedAccessToken): Promise<object> {
    return this.stock.readByHttpService(caller);
  }
}

@Module({})
export class OrdersModule {
  static register(settings: Settings, inventoryUrl: string): DynamicModule {
    const inventory = { name: 'inventory', audience: 'inventory', scopes: { onBehalfOf: ['stock.read'] } };
    return {
      module: OrdersModule,
      imports: [
        KeycloakModule.forRoot({ clientId: 'orders', ...settings }),
        KeycloakModule.forFeature([{ ...inventory, baseUrl: inventoryUrl }]),
        ServiceHttpModule.register([{ ...inventory, baseURL: inventoryUrl }]),
      ],
      controllers: [OrdersController],
      providers: [StockClient],
    };
  }
}
