import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { headers as natsHeaders } from '@nats-io/transport-node';
import { Controller, Logger, type INestApplication } from '@nestjs/common';
import {
  ClientProxyFactory,
  GrpcMethod,
  MessagePattern,
  NatsRecordBuilder,
  Payload,
  RmqRecordBuilder,
  Transport,
  type ClientGrpc,
  type ClientProxy,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { freePort } from 'keycloak-test-servers';
import { Caller, RequirePermission, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { microservicesRequestAdapter } from 'nestjs-keycloak-s2s/microservices';
import { KeycloakTestingModule } from 'nestjs-keycloak-s2s/testing';
import { lastValueFrom, timeout, type Observable } from 'rxjs';
import { anyPayload, FRAMEWORK_MEMBERS, heldConnections } from '../../libs/keycloak/spec-support/payload-members.js';
import { bearerOf } from '../../libs/keycloak/spec-support/refusal-table.js';
import { natsPath, rabbitMqPath, startNats, startRabbitMq, type Broker } from '../support/brokers.js';

@Controller()
class Orders {
  @MessagePattern('read')
  @RequirePermission('orders.read')
  read(@Caller() { clientId }: VerifiedAccessToken, @Payload() payload: unknown): string {
    return `read by ${clientId}: ${JSON.stringify(payload)}`;
  }

  @GrpcMethod('Orders', 'Read')
  @RequirePermission('orders.read')
  readByGrpc(@Caller() { clientId }: VerifiedAccessToken): { text: string } {
    return { text: `read by ${clientId}` };
  }
}

/** Omits names with a meaning in JavaScript, because protobufjs turns each field into a property. */
const FIELDS = FRAMEWORK_MEMBERS.filter((name) => !['__proto__', 'constructor', 'prototype', 'toJSON'].includes(name));
const PROTO = `syntax = "proto3";
package shop;
service Orders {
  rpc Read (Anything) returns (Answer);
}
message Anything {
${FIELDS.map((name, at) => `  string ${name} = ${at + 1};`).join('\n')}
  map<string, string> members = ${FIELDS.length + 1};
}
message Answer { string text = 1; }
`;

type Send = (payload: object, authorization: string | undefined) => Promise<unknown>;

interface TransportUnderTest {
  readonly name: string;
  readonly payloads: fc.Arbitrary<object>;
  readonly start: (() => Promise<Broker>) | undefined;
  options(url: string): MicroserviceOptions;
  sender(proxy: ClientProxy): Send;
  answer(payload: object): unknown;
  readonly refusal: object;
  /** True if the guard still tracks an answered call until the next cleanup, as for gRPC. */
  readonly isHeldWhileOpen?: true;
}

const outcomeOf = (answers: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(answers.pipe(timeout(120_000))).then(
    (answer) => ({ answer }),
    (refused: unknown) => ({ refused }),
  );

const folder = mkdtempSync(join(tmpdir(), 'proto-'));
beforeAll(() => writeFileSync(join(folder, 'orders.proto'), PROTO));
afterAll(() => rmSync(folder, { recursive: true }));

const MISSING_TOKEN = { error: 'Missing token', code: 'missing_token' };

const TRANSPORTS: readonly TransportUnderTest[] = [
  {
    name: 'gRPC',
    payloads: fc.record(Object.fromEntries(FIELDS.map((name) => [name, fc.constantFrom('1', '', '{}')])), {
      requiredKeys: [],
    }) as fc.Arbitrary<object>,
    start: async () => ({ url: `127.0.0.1:${await freePort()}`, stop: async () => {} }),
    options: (url) => ({
      transport: Transport.GRPC,
      options: { package: 'shop', protoPath: join(folder, 'orders.proto'), url, loader: { keepCase: true } },
    }),
    sender(proxy) {
      type Method = (message: object, metadata: Metadata) => Observable<unknown>;
      const service = (proxy as unknown as ClientGrpc).getService<{ readonly read: Method }>('Orders');
      return async (payload, authorization) => {
        const metadata = new Metadata();
        if (authorization !== undefined) metadata.add('authorization', authorization);
        return outcomeOf(service.read(payload, metadata));
      };
    },
    answer: () => ({ text: 'read by shop' }),
    refusal: { code: 16, details: 'missing_token' },
    isHeldWhileOpen: true,
  },
  {
    name: 'NATS',
    payloads: anyPayload,
    start: natsPath === undefined ? undefined : () => startNats(natsPath ?? ''),
    options: (url) => ({ transport: Transport.NATS, options: { servers: [url] } }),
    sender: (proxy) => (payload, authorization) => {
      const headers = natsHeaders();
      if (authorization !== undefined) headers.set('authorization', authorization);
      return outcomeOf(proxy.send('read', new NatsRecordBuilder(payload).setHeaders(headers).build()));
    },
    answer: (payload) => `read by shop: ${JSON.stringify(payload)}`,
    refusal: MISSING_TOKEN,
  },
  {
    name: 'RabbitMQ',
    payloads: anyPayload,
    start: rabbitMqPath === undefined ? undefined : () => startRabbitMq(rabbitMqPath ?? ''),
    options: (url) => ({
      transport: Transport.RMQ,
      options: { urls: [url], queue: 'orders', queueOptions: { durable: false } },
    }),
    sender: (proxy) => (payload, authorization) => {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      return outcomeOf(proxy.send('read', new RmqRecordBuilder(payload).setOptions({ headers }).build()));
    },
    answer: (payload) => `read by shop: ${JSON.stringify(payload)}`,
    refusal: MISSING_TOKEN,
  },
];

const errors: unknown[] = [];

for (const transport of TRANSPORTS) {
  const describeWithBroker = transport.start === undefined ? describe.skip : describe;
  describeWithBroker(`a message over ${transport.name}`, () => {
    let broker: Broker;
    let app: INestApplication;
    let proxy: ClientProxy;
    let send: Send;
    beforeAll(async () => {
      broker = (await transport.start?.()) as Broker;
      const options = transport.options(broker.url);
      const imports = [KeycloakTestingModule.forRoot({ requestAdapters: [microservicesRequestAdapter()] })];
      const module = await Test.createTestingModule({ imports, controllers: [Orders] })
        .setLogger({ log: () => {}, warn: () => {}, error: (line: unknown) => errors.push(line) })
        .compile();
      app = module.createNestApplication(new ExpressAdapter());
      app.connectMicroservice(options);
      await app.init();
      await app.startAllMicroservices();
      proxy = ClientProxyFactory.create(options as Parameters<typeof ClientProxyFactory.create>[0]) as ClientProxy;
      send = transport.sender(proxy);
    });
    afterAll(async () => {
      await proxy.close();
      await app.close();
      await broker.stop();
      Logger.overrideLogger(false);
    });

    const expectAlike = async (payload: object): Promise<void> => {
      errors.length = 0;
      expect(await send(payload, undefined)).toEqual({ refused: expect.objectContaining(transport.refusal) });
      expect(await send(payload, bearerOf(app))).toEqual({ answer: transport.answer(payload) });
      expect(errors).toEqual([]);
      if (transport.isHeldWhileOpen !== true) expect(heldConnections(app)).toBe(0);
    };

    const untilNothingIsHeld = async (): Promise<void> => {
      while (heldConnections(app) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    };

    it('requires a token and reaches the handler unchanged, even with one field named like a framework member (RS-28)', async () => {
      for (const name of FIELDS) await expectAlike({ [name]: '1' });
      await untilNothingIsHeld();
      expect(heldConnections(app)).toBe(0);
    });

    it('requires a token and reaches the handler unchanged, even with random fields (RS-28)', async () => {
      await fc.assert(fc.asyncProperty(transport.payloads, expectAlike), { numRuns: 100 });
      await untilNothingIsHeld();
      expect(heldConnections(app)).toBe(0);
    });
  });
}
