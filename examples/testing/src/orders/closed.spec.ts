import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  signIn,
  signOut,
  testAccessToken,
  testServices,
  type TestAccessTokenOptions,
} from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { ordersWithoutServer } from './orders-without-server.js';

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('GET /orders/:article on %s', (_, adapter) => {
  let app: INestApplication;

  beforeAll(async () => {
    app = await ordersWithoutServer(adapter());
    testServices(app).on('inventory', 'GET', '/stock/pen').reply(200, { left: 3 });
  });

  afterAll(() => app.close());

  // #region tests
  const good: TestAccessTokenOptions = { subject: 'alice', permissions: ['orders.read'] };
  const offer = (bearer: string) => request(app.getHttpServer()).get('/orders/pen').auth(bearer, { type: 'bearer' });

  it('lets a good token in', async () => {
    await offer(signIn(app, testAccessToken(good))).expect(200);
  });

  it.each<[string, TestAccessTokenOptions, number, string]>([
    ['without the permission', { permissions: ['orders.write'] }, 403, 'insufficient_scope'],
    ['that has expired', { expiresInSeconds: -60 }, 401, 'invalid_token'],
    ['for another service', { audience: 'inventory' }, 401, 'invalid_token'],
    ['of another realm', { issuer: 'https://sso.test/realms/other' }, 401, 'invalid_token'],
    ['of another kind', { claims: { typ: 'ID' } }, 401, 'invalid_token'],
    ['without an expiry', { claims: { exp: undefined } }, 401, 'invalid_token'],
  ])('refuses a token %s', async (_case, bent, status, code) => {
    const { body } = await offer(signIn(app, testAccessToken({ ...good, ...bent }))).expect(status);
    expect(body).toMatchObject({ code });
  });
  // #endregion tests

  it('refuses a token after signOut, and a value that is not a token', async () => {
    const bearer = signIn(app, testAccessToken(good));
    signOut(app, bearer);
    await offer(bearer).expect(401);
    await offer('junk').expect(401);
  });
});
