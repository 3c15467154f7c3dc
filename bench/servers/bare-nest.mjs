// Service A, B or C of the chain `GET /run-service-b`, without security: Nest, Fastify, class-validator, `fetch`. With
// `usual packages`, also with a log and metrics.
import 'reflect-metadata';
import { BadGatewayException, Body, Controller, Get, HttpCode, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ProcessOrderDto } from '../../apps/service-b/dist/orders/process-order.dto.js';
import { ComputeDto } from '../../apps/service-c/dist/analytics/compute.dto.js';
import { decorateClass, decorateMethod, moduleOf } from './nest.mjs';

const [, , name, further] = process.argv;
const { PORT, SERVICE_B_URL, SERVICE_C_URL } = process.env;

class ServiceA {
  run() {
    return post(`${SERVICE_B_URL}/api/process`, { order_id: 9876, amount: 1500 });
  }
}
decorateMethod(ServiceA, 'run', Get('run-service-b'));

class ServiceB {
  async process(order) {
    const computed = await post(`${SERVICE_C_URL}/api/compute`, { value: 10 });
    return { service_b: `Order ${order.order_id} processed by Service B`, service_c: computed };
  }
}
takesBody(ServiceB, 'process', 'api/process', ProcessOrderDto);

class ServiceC {
  compute({ value }) {
    return { result: value * 2, msg: 'Service C successfully processed request' };
  }
}
takesBody(ServiceC, 'compute', 'api/compute', ComputeDto);

class Health {
  ready() {
    return {};
  }
}
decorateMethod(Health, 'ready', Get('health/ready'));

const controllers = [{ 'service-a': ServiceA, 'service-b': ServiceB, 'service-c': ServiceC }[name], Health];
for (const controller of controllers) decorateClass(controller, Controller());
const usual = further === undefined ? undefined : await import('./usual-packages.mjs');
const module = moduleOf({ controllers, imports: usual?.imports ?? [] });
const app = await NestFactory.create(module, new FastifyAdapter(), { logger: ['error', 'warn'] });
usual?.measure(app);
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }));
await app.listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit());

function takesBody(controller, method, path, type) {
  Body()(controller.prototype, method, 0);
  decorateMethod(controller, method, Post(path), HttpCode(200), Reflect.metadata('design:paramtypes', [type]));
}

async function post(url, body) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new BadGatewayException();
  return response.json();
}
