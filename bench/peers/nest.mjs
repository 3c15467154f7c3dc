import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** The answer equals the answer of `servers/one-route.mjs`. */
export async function serveGuardedRoute({ imports = [], providers = [] }) {
  class RouteController {
    answer() {
      return { answer: 42 };
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(RouteController.prototype, 'answer');
  Reflect.decorate([Get()], RouteController.prototype, 'answer', descriptor);
  Reflect.decorate([Controller('route')], RouteController);

  const AppModule = function AppModule() {};
  Reflect.decorate([Module({ imports, providers, controllers: [RouteController] })], AppModule);
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  process.once('SIGTERM', () => process.exit());
  process.send({ listening: await app.getUrl() });
}
