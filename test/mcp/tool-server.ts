import { ConsoleLogger, Module, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { freePort } from 'keycloak-test-servers';
import { KeycloakModule } from 'nestjs-keycloak-s2s';
import { mcpRequestAdapter } from 'nestjs-keycloak-s2s-mcp';
import { McpStrategy, StreamableHttpTransport } from './mcp-nest.js';
import { mcpNestEndpoint, OrderTools } from './mcp-nest-endpoint.js';
import { SECRET } from './mcp-realm.js';
import { SdkEndpoint } from './sdk-endpoint.js';

export const PLATFORMS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };
export type Platform = keyof typeof PLATFORMS;

export const KINDS = ['mcp-nest', 'the official SDK'] as const;
export type Kind = (typeof KINDS)[number];

export interface ToolServer {
  readonly url: string;
  readonly metadataUrl: string;
  stop(): Promise<void>;
}

export interface Surroundings {
  readonly issuer: string;
  readonly approvalsUrl: string;
}

/** The port is known before the start, because the metadata name the URL. */
export async function startToolServer(kind: Kind, platform: Platform, around: Surroundings): Promise<ToolServer> {
  const origin = `http://localhost:${await freePort()}`;
  const transport = new StreamableHttpTransport({ mount: false });
  const controllers = kind === 'mcp-nest' ? [OrderTools, mcpNestEndpoint(transport)] : [SdkEndpoint];
  const app = await NestFactory.create<INestApplication>(
    toolModule(`${origin}/mcp`, controllers, around),
    PLATFORMS[platform]() as ExpressAdapter,
    { logger: new ConsoleLogger({ json: true }) },
  );
  if (kind === 'mcp-nest') {
    const httpAdapter = app.getHttpAdapter();
    const strategy = new McpStrategy({ name: 'order-tools', version: '1', transports: [transport], httpAdapter });
    app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    await app.startAllMicroservices();
  }
  await app.listen(new URL(origin).port, 'localhost');
  const metadataUrl = `${origin}/.well-known/oauth-protected-resource/mcp`;
  return { url: `${origin}/mcp`, metadataUrl, stop: () => app.close() };
}

function toolModule(resource: string, controllers: Type[], { issuer, approvalsUrl }: Surroundings): Type {
  const keycloak = { issuer, clientSecret: SECRET, allowInsecureRequests: true, introspectionTtlSeconds: 1 };

  @Module({
    imports: [
      KeycloakModule.forRoot({
        clientId: 'order-tools',
        protectedResource: { resource },
        requestAdapters: [mcpRequestAdapter()],
        ...keycloak,
      }),
      KeycloakModule.forFeature([
        {
          name: 'approvals',
          baseUrl: approvalsUrl,
          audience: 'service-b',
          scopes: { onBehalfOf: ['orders.approve'] },
        },
      ]),
    ],
    controllers,
  })
  class ToolModule {}
  return ToolModule;
}
