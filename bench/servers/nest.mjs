import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

export function decorateClass(target, ...decorators) {
  Reflect.decorate(decorators, target);
}

export function decorateMethod(target, name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  Object.defineProperty(target.prototype, name, Reflect.decorate(decorators, target.prototype, name, descriptor));
}

export function injectParameter(target, index, decorator) {
  decorator(target, undefined, index);
}

export function moduleOf(metadata, ...decorators) {
  const made = function BenchModule() {};
  decorateClass(made, ...decorators, Module(metadata));
  return made;
}

export async function listen(metadata, prepare) {
  const url = await serve(metadata, prepare);
  process.once('SIGTERM', () => process.exit());
  process.send({ listening: url });
  return url;
}

export async function serve(metadata, prepare, port = 0) {
  const app = await NestFactory.create(moduleOf(metadata), new FastifyAdapter(), { logger: ['error', 'warn'] });
  await prepare?.(app);
  await app.listen(port, '127.0.0.1');
  return app.getUrl();
}

export function keycloakOptions(environment) {
  const { KEYCLOAK_BASE_URL, KEYCLOAK_ISSUER, CLIENT_ID, CLIENT_SECRET } = environment;
  return {
    issuer: KEYCLOAK_ISSUER,
    internalServerUrl: KEYCLOAK_BASE_URL,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    allowInsecureRequests: true,
  };
}
