import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { McpStrategy } from '@rekog/mcp-nest';
import { OrderTools } from './mcp-nest/order-tools.controller.js';
import { OrderToolsEndpoint, transport } from './mcp-nest/order-tools.endpoint.js';
import { OrderToolsController } from './official-sdk/order-tools.controller.js';
import { OrderToolsModule, type OrderToolsSettings } from './tools/order-tools.module.js';

export type ServerKind = 'mcp-nest' | 'sdk';

export async function startTools(kind: ServerKind, settings: OrderToolsSettings): Promise<INestApplication> {
  const app = kind === 'sdk' ? await withSdk(settings) : await withMcpNest(settings);
  const { port, hostname } = new URL(settings.resource);
  await app.listen(port, hostname);
  return app;
}

const withSdk = (settings: OrderToolsSettings): Promise<INestApplication> =>
  NestFactory.create(OrderToolsModule.register(settings, [OrderToolsController]));

// #region mcp-nest
async function withMcpNest(settings: OrderToolsSettings): Promise<INestApplication> {
  const app = await NestFactory.create(OrderToolsModule.register(settings, [OrderToolsEndpoint, OrderTools]));
  const httpAdapter = app.getHttpAdapter();
  const strategy = new McpStrategy({ name: 'order-tools', version: '1.0.0', transports: [transport], httpAdapter });
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  await app.startAllMicroservices();
  return app;
}
// #endregion mcp-nest
