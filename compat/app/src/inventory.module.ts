import { Controller, Get, Module, type DynamicModule } from '@nestjs/common';
import { Caller, KeycloakModule, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { Settings } from './settings.js';

@Controller('stock')
export class StockController {
  @Get()
  @RequirePermission('stock.read')
  stock(@Caller() caller: VerifiedAccessToken): object {
    return { left: 3, reader: caller.subject, through: caller.clientId };
  }
}

@Module({})
export class InventoryModule {
  static register(settings: Settings): DynamicModule {
    return {
      module: InventoryModule,
      imports: [KeycloakModule.forRoot({ clientId: 'inventory', ...settings })],
      controllers: [StockController],
    };
  }
}
