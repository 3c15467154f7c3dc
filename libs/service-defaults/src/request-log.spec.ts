import { createHash } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { KeycloakTestingModule, signIn, testAccessToken } from 'nestjs-keycloak-s2s/testing';
import request from 'supertest';
import { connectionsOf } from './shutdown.js';
import { serviceAdapter } from './create-service.js';
import { logRequests } from './request-log.js';
import { WhoamiController } from './whoami.controller.js';

const [OWN, PARTNER] = ['https://sso.example.com/realms/shop', 'https://sso.partner.example/realms/partner'];
const CLIENT = { clientId: 'service-b', clientSecret: 'hush', acceptedScopes: [] };

let app: NestFastifyApplication | undefined;
afterEach(() => app?.close());

async function linesOf(
  subject: 'hash' | 'plain' | 'none',
  namesIssuer?: boolean,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<object[]> {
  const lines: object[] = [];
  const log = { info: (line: object) => void lines.push(line), error: (line: object) => void lines.push(line) };
  const adapter = serviceAdapter();
  logRequests(adapter, connectionsOf(adapter), { ofRoute: () => log, flush: () => undefined }, subject, namesIssuer);
  const issuers = [OWN, PARTNER].map((issuer) => ({ issuer, ...CLIENT }));
  const module = await Test.createTestingModule({
    imports: [KeycloakTestingModule.forRoot({ issuers })],
    controllers: [WhoamiController],
  })
    .setLogger({ log() {}, warn() {}, error() {} })
    .compile();
  const started = module.createNestApplication<NestFastifyApplication>(adapter);
  app = started;
  await started.listen(0, '127.0.0.1');
  for (const { issuer } of issuers) {
    const token = signIn(started, testAccessToken({ issuer, subject: 'alice-id', client: 'shop', claims }));
    await request(started.getHttpServer()).get('/api/whoami').auth(token, { type: 'bearer' }).expect(200);
  }
  return lines;
}

const subjectHash = createHash('sha256').update('alice-id').digest('hex').slice(0, 16);

describe('a line of the request log', () => {
  it.each([
    ['hash', { subjectHash }],
    ['plain', { sub: 'alice-id' }],
    ['none', {}],
  ] as const)("contains the caller's issuer, with the subject as %s (RS-10)", async (subject, expected) => {
    const common = { status: 200, durationMs: expect.any(Number) as unknown, azp: 'shop' };
    expect(await linesOf(subject, true)).toEqual([
      { ...common, iss: OWN, ...expected },
      { ...common, iss: PARTNER, ...expected },
    ]);
  });

  it.each([
    ['hash', { azp: 'agent', subjectHash }],
    ['plain', { azp: 'agent', sub: 'alice-id' }],
    ['none', { azp: 'agent' }],
  ] as const)('contains the current actor, with its subject as %s', async (subject, actor) => {
    const act = { sub: 'alice-id', client_id: 'agent', act: { sub: 'earlier' } };
    for (const line of await linesOf(subject, false, { act })) expect(line).toMatchObject({ azp: 'shop', actor });
    for (const line of await linesOf(subject)) expect(line).not.toHaveProperty('actor');
  });

  it('omits the issuer if the service accepts only one issuer', async () => {
    for (const line of await linesOf('hash')) expect(line).not.toHaveProperty('iss');
  });
});
