import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { AllowClients, RequirePermission } from 'nestjs-keycloak-s2s';
import { AdjustInventoryDto } from './adjust-inventory.dto.js';
import { InventoryService, type StockLevel } from './inventory.service.js';

@Controller('api/inventory')
export class InventoryController {
  constructor(private readonly inventory: InventoryService) {}

  @Post('adjust')
  @HttpCode(200)
  @RequirePermission('inventory.adjust')
  @AllowClients('warehouse')
  adjust(@Body() { sku, quantity }: AdjustInventoryDto): StockLevel {
    return this.inventory.adjust(sku, quantity);
  }
}
