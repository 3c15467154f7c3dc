import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from '@jest/globals';
import { KeycloakTestingModule, signIn, testAccessToken } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { serviceAdapter } from '../create-service.js';
import { WhoamiController } from '../whoami.controller.js';
import { traceRequests } from './request-telemetry.js';

const CLIENT = { issuer: 'https://sso.example.com/realms/shop', clientId: 'service-b', clientSecret: 'hush' };

let app: NestFastifyApplication | undefined;
afterEach(() => app?.close());

async function attributesOf(claims: Readonly<Record<string, unknown>>): Promise<object | undefined> {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const adapter = serviceAdapter();
  traceRequests(adapter, provider.getTracer('spec'));
  const module = await Test.createTestingModule({
    imports: [KeycloakTestingModule.forRoot(CLIENT)],
    controllers: [WhoamiController],
  })
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  const started = module.createNestApplication<NestFastifyApplication>(adapter);
  app = started;
  await started.listen(0, '127.0.0.1');
  const token = signIn(started, testAccessToken({ subject: 'alice-id', claims }));
  await request(started.getHttpServer()).get('/api/whoami').auth(token, { type: 'bearer' }).expect(200);
  await started.close();
  return exporter.getFinishedSpans()[0]?.attributes;
}

describe('the span of a request', () => {
  it.each([
    ['the client id of the actor', { sub: 'agent-id', client_id: 'agent' }, 'agent'],
    ['that the actor has no client', { sub: 'clerk-id' }, '(no client)'],
  ])('shows %s, and no subject', async (_, act, expected) => {
    const attributes = await attributesOf({ act });
    expect(attributes).toMatchObject({ 'keycloak_s2s.actor': expected });
    expect(JSON.stringify(attributes)).not.toMatch(/-id/);
  });

  it('shows no actor if nobody acts for the subject', async () => {
    expect(await attributesOf({})).not.toHaveProperty('keycloak_s2s.actor');
  });
});
