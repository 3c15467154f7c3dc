import { Module } from '@nestjs/common';
import { AnalyticsClient } from '../analytics.client.js';
import { ReceiptsService } from '../receipts/receipts.service.js';
import { OrderToolsController } from './order-tools.controller.js';

/** Admits the client of the MCP server in `examples/mcp`. */
@Module({ controllers: [OrderToolsController], providers: [AnalyticsClient, ReceiptsService] })
export class OrderToolsModule {}
