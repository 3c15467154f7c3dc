// #region connect
import type { INestApplication } from '@nestjs/common';
import { McpStrategy } from '@rekog/mcp-nest';
import { transport } from './order-tools.endpoint.js';

/** Call it before the application listens, also in a test. */
export async function connectTools(app: INestApplication): Promise<void> {
  const httpAdapter = app.getHttpAdapter();
  const strategy = new McpStrategy({ name: 'order-tools', version: '1.0.0', transports: [transport], httpAdapter });
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  await app.startAllMicroservices();
}
// #endregion connect
