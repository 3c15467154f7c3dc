import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { connectTools } from './mcp-nest/connect-tools.js';
import { OrderTools } from './mcp-nest/order-tools.controller.js';
import { OrderToolsEndpoint } from './mcp-nest/order-tools.endpoint.js';
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

async function withMcpNest(settings: OrderToolsSettings): Promise<INestApplication> {
  const app = await NestFactory.create(OrderToolsModule.register(settings, [OrderToolsEndpoint, OrderTools]));
  await connectTools(app);
  return app;
}
