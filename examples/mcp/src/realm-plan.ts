/** The module for `npx nestjs-keycloak-s2s realm`, which needs no real address and no real secret. */
import { OrderTools } from './mcp-nest/order-tools.controller.js';
import { OrderToolsEndpoint } from './mcp-nest/order-tools.endpoint.js';
import { OrderToolsModule } from './tools/order-tools.module.js';

export const tools = () =>
  OrderToolsModule.register(
    {
      issuer: process.env['ISSUER'] ?? 'https://sso.example.com/realms/shop',
      clientSecret: 'unused',
      resource: 'https://tools.example.com/mcp',
      serviceBUrl: 'https://service-b.example.com',
    },
    [OrderToolsEndpoint, OrderTools],
  );
