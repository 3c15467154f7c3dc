import { Controller, Get, Module, Param, type DynamicModule } from '@nestjs/common';
import {
  Caller,
  AllowClients,
  KeycloakModule,
  RequirePermission,
  VerifiedAccessToken,
  type CommonModuleOptions,
} from 'nestjs-keycloak-s2s';

const STOCK: Readonly<Record<string, number>> = { pen: 3, ink: 0 };

// #region controller
@Controller('stock')
export class StockController {
  @Get(':article')
  @RequirePermission('stock.read')
  @AllowClients('orders')
  read(@Caller() caller: VerifiedAccessToken, @Param('article') article: string) {
    return { left: STOCK[article] ?? 0, reader: caller.subject, through: caller.clientId };
  }
}
// #endregion controller

export interface InventorySettings extends CommonModuleOptions {
  readonly issuer: string;
  readonly clientSecret: string;
}

@Module({ controllers: [StockController] })
export class InventoryModule {
  static register(keycloak: InventorySettings): DynamicModule {
    return { module: InventoryModule, imports: [KeycloakModule.forRoot({ clientId: 'inventory', ...keycloak })] };
  }
}
