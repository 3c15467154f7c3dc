import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { clientCredentials, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startFakeService, type FakeService } from '../support/fake-service.js';
import { RunningServices } from '../support/running-services.js';

const PATH = '/api/orders/9876/receipt';
const RECEIPT = [
  'Receipt for order 9876',
  '',
  '12 chairs, oak       1,440.00 €',
  'Delivery                60.00 €',
  'Total                1,500.00 €',
  '',
].join('\n');

let keycloak: ContractServer;
const tokens = { alice: '', bob: '', a: '', warehouse: '' };

beforeAll(async () => {
  keycloak = await connectToKeycloak();
  tokens.alice = textOf(await login(keycloak, 'alice'));
  tokens.bob = textOf(await login(keycloak, 'bob'));
  tokens.a = textOf(await clientCredentials(keycloak, 'service-a', 'receipts.read'));
  tokens.warehouse = textOf(await clientCredentials(keycloak, 'warehouse', 'inventory.adjust'));
});

afterAll(() => keycloak.stop());

const asked = (url: string, path: string, token: string): request.Test =>
  request(url).get(path).auth(token, { type: 'bearer' });

describe('a receipt', () => {
  let chain: RunningServices;
  beforeAll(async () => {
    chain = await RunningServices.start({ only: ['service-a', 'service-b'] });
  });
  afterAll(() => chain.stop());

  it.each(['alice', 'bob'] as const)("reaches %s with the body and the headers of Service B's answer", async (user) => {
    const { text, headers } = await asked(chain.a.url, PATH, tokens[user]).expect(200);
    expect(text).toBe(RECEIPT);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'attachment; filename="receipt-9876.txt"',
      'content-length': String(Buffer.byteLength(RECEIPT)),
    });
  });

  it('reaches bob, although bob is not allowed to run the chain', async () => {
    await asked(chain.a.url, PATH, tokens.bob).expect(200);
    const { body } = await asked(chain.a.url, '/run-service-b', tokens.bob).expect(403);
    expect(body).toMatchObject({ code: 'insufficient_scope', permission: 'orders.approve' });
  });

  it('has status 401 without a token, and status 404 for an unknown order', async () => {
    await request(chain.a.url).get(PATH).expect(401);
    await asked(chain.a.url, '/api/orders/1/receipt', tokens.alice).expect(404);
  });

  it('is sent only to Service A, whose token for receipts cannot process orders', async () => {
    await asked(chain.b.url, '/api/receipts/9876', tokens.a).expect(200);
    await asked(chain.b.url, '/api/receipts/1', tokens.a).expect(404);
    await asked(chain.b.url, '/api/receipts/9876', tokens.alice).expect(401);
    await asked(chain.b.url, '/api/receipts/9876', tokens.warehouse).expect(403);
    await request(chain.b.url).get('/api/receipts/9876').expect(401);
    await request(chain.b.url)
      .post('/api/process')
      .auth(tokens.a, { type: 'bearer' })
      .send({ order_id: 1, amount: 1 })
      .expect(403);
  });
});

describe('a document of 20 MB', () => {
  const CHUNK = Buffer.from('0123456789abcdef'.repeat(4096));
  const CHUNKS = 320;
  let chunks = CHUNKS;
  let fake: FakeService;
  let a: RunningServices;
  let served: { readonly response: ServerResponse; written: number };

  beforeAll(async () => {
    fake = await startFakeService((_, response) => {
      const state = { response, written: 0 };
      served = state;
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      const write = (): void => {
        while (state.written < chunks && !response.destroyed) {
          state.written += 1;
          if (!response.write(CHUNK)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    a = await RunningServices.start({ only: ['service-a'], own: { 'service-a': { SERVICE_B_URL: fake.url } } });
  });
  afterAll(async () => {
    await a.stop();
    await fake.stop();
  });

  async function opened(): Promise<IncomingMessage> {
    const sent = get(a.a.url + PATH, { headers: { authorization: `Bearer ${tokens.bob}` } });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  }

  it('arrives byte for byte', async () => {
    const hash = createHash('sha256');
    let size = 0;
    for await (const part of await opened()) {
      size += (part as Buffer).length;
      hash.update(part as Buffer);
    }
    const expected = createHash('sha256');
    for (let at = 0; at < CHUNKS; at += 1) expected.update(CHUNK);
    expect([size, hash.digest('hex')]).toEqual([CHUNKS * CHUNK.length, expected.digest('hex')]);
  });

  it('is fetched from Service B only as fast as the caller of Service A reads', async () => {
    // The response is larger than all buffers between Service B and the caller.
    chunks = 10 * CHUNKS;
    const response = await opened();
    response.pause();
    for (let before = -1; before !== served.written;) {
      before = served.written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(served.written).toBeLessThan(chunks);
    let size = 0;
    for await (const part of response) size += (part as Buffer).length;
    expect(size).toBe(chunks * CHUNK.length);
  });

  it('is no longer fetched from Service B after the caller of Service A disconnects', async () => {
    chunks = 10 * CHUNKS;
    const response = await opened();
    response.pause();
    const { response: upstream } = served;
    const closed = once(upstream, 'close');
    response.destroy();
    await closed;
    expect(upstream.writableFinished).toBe(false);
  });
});
