import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { guardHandshakes } from 'nestjs-keycloak-s2s/websockets';
import { OrdersModule } from './orders/orders.module.js';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

const app = await NestFactory.create(
  OrdersModule.register({
    issuer: required('ISSUER'),
    clientSecret: required('ORDERS_CLIENT_SECRET'),
    allowInsecureRequests: process.env['NODE_ENV'] === 'development',
  }),
);
app.useWebSocketAdapter(guardHandshakes(app, new WsAdapter(app)));
app.connectMicroservice({ transport: Transport.NATS, options: { servers: [required('NATS_URL')] } });
await app.startAllMicroservices();
await app.listen(Number(process.env['PORT'] ?? 3000));
