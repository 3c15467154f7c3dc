import type { AddressInfo } from 'node:net';
import { Controller, Get, HttpCode, Module, Param, ParseIntPipe, Post, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AllowClients, Caller, KeycloakModule, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

export interface ServiceB {
  readonly url: string;
  readonly approved: number[];
  stop(): Promise<void>;
}

const tokensOf = ({ claims }: VerifiedAccessToken) => [{ service: 'service-b', claims }];

/** Starts a service with the routes that the demonstration's Service B has for the tools. */
export async function startServiceB(issuer: string, clientSecret: string): Promise<ServiceB> {
  const approved: number[] = [];

  @Controller('demo/order-tools')
  class OrdersController {
    @Post('orders/:id/approval')
    @HttpCode(200)
    @RequirePermission('orders.approve')
    @AllowClients('order-tools')
    approve(@Param('id', ParseIntPipe) id: number, @Caller() caller: VerifiedAccessToken): object {
      approved.push(id);
      return { approved: id, by: caller.username, tokens: tokensOf(caller) };
    }

    @Get('receipts/:id')
    @RequirePermission('receipts.read')
    @AllowClients('order-tools')
    receipt(@Param('id', ParseIntPipe) id: number, @Caller() caller: VerifiedAccessToken): object {
      return { receipt: `Receipt for order ${id}`, for: caller.username, tokens: tokensOf(caller) };
    }
  }

  @Module({
    imports: [KeycloakModule.forRoot({ issuer, clientId: 'service-b', clientSecret, allowInsecureRequests: true })],
    controllers: [OrdersController],
  })
  class ServiceBModule {}

  const app = await NestFactory.create<INestApplication>(ServiceBModule, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, approved, stop: () => app.close() };
}
