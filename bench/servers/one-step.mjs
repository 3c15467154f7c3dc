import 'reflect-metadata';
import { Body, Controller, Global, HttpCode, Inject, Post } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RequestTraceModule } from 'demo';
import Fastify from 'fastify';
import {
  Caller,
  AllowClients,
  getServiceClientToken,
  KeycloakModule,
  KeycloakExceptionFilter,
  RequirePermission,
} from 'nestjs-keycloak-s2s';
import { createService, securityHeaders } from 'service-defaults';
import { AnalyticsClient } from '../../apps/service-b/dist/analytics.client.js';
import { ProcessOrderDto } from '../../apps/service-b/dist/orders/process-order.dto.js';
import { BodyValidation } from '../../libs/service-defaults/dist/body-validation.js';
import { ErrorFilter } from '../../libs/service-defaults/dist/error.filter.js';
import { stepNumber } from '../measure/steps.mjs';
import { decorateClass, decorateMethod, injectParameter, keycloakOptions, moduleOf } from './nest.mjs';

const { UPSTREAM_URL } = process.env;
const step = stepNumber(process.argv[2]);
const has = (name) => step >= stepNumber(name);

const COMPUTED = { result: 20, msg: 'Order 9876 was processed' };

const app = has('nest') ? await nestApplication() : fastifyApplication();
await app.listen(...(has('nest') ? [0, '127.0.0.1'] : [{ port: 0, host: '127.0.0.1' }]));
process.once('SIGTERM', () => process.exit());
const { port } = (has('nest') ? app.getHttpServer() : app.server).address();
process.send({ listening: `http://127.0.0.1:${port}` });

function answer(order, computed = COMPUTED) {
  return { service_b: `Order ${order.order_id} processed by Service B`, service_c: computed };
}

function fastifyApplication() {
  const fastify = Fastify();
  fastify.post('/api/process', (request, reply) => reply.send(answer(request.body)));
  return fastify;
}

async function nestApplication() {
  const root = moduleOf({ imports: imports(), controllers: [controller()], providers: providers() });
  if (has('service')) return createService(root, { logFormat: 'json', demo: { hosts: ['service-b'] } });
  const nest = await NestFactory.create(root, new FastifyAdapter(), { logger: ['error', 'warn'] });
  if (has('headers')) addHeaders(nest.getHttpAdapter().getInstance());
  if (has('validation')) nest.useGlobalPipes(new BodyValidation());
  if (has('filters'))
    nest.useGlobalFilters(new ErrorFilter(nest.get(KeycloakExceptionFilter), nest.get(HttpAdapterHost)));
  return nest;
}

function addHeaders(fastify) {
  const headers = securityHeaders();
  fastify.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

function imports() {
  const all = [];
  if (has('guard')) all.push(KeycloakModule.forRoot({ ...keycloakOptions(process.env), exposeRefusalReasons: true }));
  else if (has('filters')) all.push(filterAlone());
  if (has('client')) {
    all.push(KeycloakModule.forFeature([{ name: 'service-c', baseUrl: UPSTREAM_URL, audience: 'service-c' }]));
  }
  if (has('trace')) {
    const useFactory = () => ({ service: 'service-b', calls: { 'service-c': UPSTREAM_URL } });
    all.push(RequestTraceModule.forRootAsync({ useFactory }));
  }
  return all;
}

function filterAlone() {
  const useFactory = (host) => new KeycloakExceptionFilter({ realm: 'service-b', exposeRefusalReasons: true }, host);
  const filter = { provide: KeycloakExceptionFilter, inject: [HttpAdapterHost], useFactory };
  return moduleOf({ providers: [filter], exports: [KeycloakExceptionFilter] }, Global());
}

function providers() {
  if (!has('client')) return [];
  const useFactory = (client) => new AnalyticsClient(client);
  return [{ provide: AnalyticsClient, inject: [getServiceClientToken('service-c')], useFactory }];
}

function controller() {
  class OrdersController {
    constructor(analytics) {
      this.analytics = analytics;
    }

    async process(order, caller) {
      return answer(order, has('client') ? await this.analytics.compute(caller, 10) : undefined);
    }
  }
  if (has('client')) injectParameter(OrdersController, 0, Inject(AnalyticsClient));
  Body()(OrdersController.prototype, 'process', 0);
  if (has('guard')) Caller()(OrdersController.prototype, 'process', 1);
  const access = has('guard') ? [RequirePermission('orders.approve'), AllowClients('service-a')] : [];
  const types = has('validation') ? [ProcessOrderDto, Object] : [Object, Object];
  decorateMethod(
    OrdersController,
    'process',
    Post(),
    HttpCode(200),
    ...access,
    Reflect.metadata('design:paramtypes', types),
  );
  decorateClass(OrdersController, Controller('api/process'));
  return OrdersController;
}
