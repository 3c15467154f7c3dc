import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { jwtVerification } from 'nestjs-keycloak-s2s/jwt';
import { KeycloakTelemetryModule } from 'nestjs-keycloak-s2s/opentelemetry';
import { BackchannelLogoutModule } from 'nestjs-keycloak-s2s/signals';
import { addKeycloakSecurity } from 'nestjs-keycloak-s2s/swagger';
import { adapter } from './adapter.js';
import { ask, tokenOf } from './ask.js';
import { OrdersModule } from './orders.module.js';
import type { Settings } from './settings.js';

const settings: Settings = {
  issuer: process.env['ISSUER'] ?? '',
  clientSecret: 'orders-secret',
  allowInsecureRequests: true,
  verification: 'jwt',
  jwt: jwtVerification(),
};

@Module({
  imports: [
    OrdersModule.register(settings, 'http://127.0.0.1:1'),
    KeycloakTelemetryModule,
    BackchannelLogoutModule.forRoot(),
  ],
})
class EntryPointsModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(EntryPointsModule, adapter(), { logger: false });
  const config = new DocumentBuilder().setOpenAPIVersion('3.1.0').setTitle('orders').setVersion('1').build();
  const { paths } = addKeycloakSecurity(app, SwaggerModule.createDocument(app, config));
  assert.deepEqual(paths['/orders/public']?.get?.security, []);
  assert.deepEqual(paths['/orders/guarded']?.get?.security?.[0], { keycloak: ['orders.read'] });
  await app.listen(0, '127.0.0.1');
  const alice = await tokenOf('alice');
  assert.equal((await ask(`${await app.getUrl()}/orders/guarded`, alice)).status, 200);
  const [header, payload, signature = ''] = alice.split('.');
  const forged = [header, payload, signature.split('').toReversed().join('')].join('.');
  assert.equal((await ask(`${await app.getUrl()}/orders/guarded`, forged)).status, 401);
  const junk = { method: 'POST', body: new URLSearchParams({ logout_token: forged }) };
  assert.equal((await fetch(`${await app.getUrl()}/backchannel-logout`, junk)).status, 400);
  await app.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
