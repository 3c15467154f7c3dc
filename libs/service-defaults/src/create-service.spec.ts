import type { ServerResponse } from 'node:http';
import { Body, ConflictException, Controller, Get, Module, Post, Res } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { IsInt, IsNumber, IsPositive, Max } from 'class-validator';
import { Public } from 'nestjs-keycloak-s2s';
import request from 'supertest';
import { createService } from './create-service.js';
import { unreachedKeycloak } from '../spec-support/unreached-keycloak.js';

class OrderDto {
  @IsInt()
  @IsPositive()
  order_id!: number;

  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Max(1000)
  amount!: number;
}

@Controller()
@Public()
class TestController {
  @Post('orders')
  create(@Body() order: OrderDto): OrderDto {
    return order;
  }

  @Get('broken')
  broken(): never {
    throw new Error('a-secret-detail');
  }

  @Get('begun')
  begun(@Res() { raw }: { readonly raw: ServerResponse }): never {
    raw.writeHead(200, { 'content-type': 'text/plain' }).write('begun');
    return this.broken();
  }

  @Get('strange')
  strange(): never {
    // oxlint-disable-next-line typescript/only-throw-error
    throw { statusCode: 200, message: 'a-secret-detail' };
  }

  @Get('conflict')
  conflict(): never {
    throw new ConflictException({ error: 'Sold out', code: 'sold_out' });
  }
}

@Module({
  imports: [unreachedKeycloak()],
  controllers: [TestController],
})
class TestModule {}

const ORDER = { order_id: 1, amount: 10 };
let app: NestFastifyApplication;
const printed: string[] = [];
const write = process.stdout.write.bind(process.stdout);

beforeAll(async () => {
  app = await createService(TestModule, { logFormat: 'json' });
  await app.listen(0, '127.0.0.1');
});

afterAll(() => app.close());

const post = (body: string, type = 'application/json'): request.Test =>
  request(app.getHttpServer()).post('/orders').set('Content-Type', type).send(body);

describe('a service from createService()', () => {
  it('passes a valid body unchanged to the handler', async () => {
    const { body } = await post(JSON.stringify(ORDER)).expect(201);
    expect(body).toEqual(ORDER);
  });

  it.each([
    ['an unknown field', { ...ORDER, role: 'admin' }, 'property role should not exist'],
    ['a missing field', { amount: 1 }, 'order_id must be an integer number'],
    ['a number as text', { ...ORDER, order_id: '1' }, 'order_id must be an integer number'],
    ['a fraction', { ...ORDER, order_id: 1.5 }, 'order_id must be an integer number'],
    ['a negative number', { ...ORDER, order_id: -1 }, 'order_id must be a positive number'],
    ['an absurd number', { ...ORDER, amount: 1e300 }, 'amount must not be greater than 1000'],
    ['null', { ...ORDER, amount: null }, 'amount must be a number'],
    ['a list', { ...ORDER, amount: [1] }, 'amount must be a number'],
    ['an object', { ...ORDER, amount: { $gt: 0 } }, 'amount must be a number'],
  ])('names the invalid field: %s (RS-24)', async (_name, sent, fault) => {
    const { body } = await post(JSON.stringify(sent)).expect(400);
    expect(body).toEqual({ error: expect.stringContaining(fault), code: 'invalid_body' });
  });

  it.each([
    ['a number that is not finite', '{"order_id":1,"amount":1e999}'],
    ['a list', '[{"order_id":1,"amount":10}]'],
    ['an empty list', '[]'],
    ['null', 'null'],
    ['text', '"x"'],
    ['a number', '1'],
    ['true', 'true'],
    ['an empty object', '{}'],
    ['nothing', ''],
    ['broken JSON', '{"order_id":1'],
    ['__proto__', '{"order_id":1,"amount":10,"__proto__":{"role":"admin"}}'],
    ['constructor', '{"order_id":1,"amount":10,"constructor":{"prototype":{"role":"admin"}}}'],
  ])('refuses a body that is %s (RS-24)', async (_name, sent) => {
    const { body } = await post(sent).expect(400);
    expect(body).toEqual({ error: expect.stringMatching(/^Invalid body/), code: 'invalid_body' });
  });

  it('refuses a body over 100 KB, and a body that is not JSON', async () => {
    const large = await post(JSON.stringify({ ...ORDER, note: 'x'.repeat(102_400) })).expect(413);
    expect(large.body).toEqual({ error: 'Invalid body: it must not be larger than 100 KB', code: 'body_too_large' });
    const xml = await post('<order/>', 'application/xml').expect(415);
    expect(xml.body).toMatchObject({ code: 'unsupported_media_type' });
  });

  it('accepts a body of exactly 100 KB (RS-24)', async () => {
    const padded = (bytes: number): string => JSON.stringify(ORDER).padEnd(bytes);
    expect((await post(padded(102_400))).status).toBe(201);
    expect((await post(padded(102_401))).status).toBe(413);
  });

  it.each([
    'text/plain',
    'text/xml',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/jsonx',
  ])('refuses a valid body with the media type %s (RS-24)', async (type) => {
    const { body } = await post(JSON.stringify(ORDER), type).expect(415);
    expect(body).toEqual({
      error: 'Unsupported media type: send application/json',
      code: 'unsupported_media_type',
    });
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'refuses an unknown field with the inherited name %s (RS-24)',
    async (name) => {
      const { body } = await post(`{"order_id":1,"amount":10,"${name}":{"name":"admin"}}`).expect(400);
      expect(body).toEqual({ error: `Invalid body: property ${name} should not exist`, code: 'invalid_body' });
    },
  );

  it('refuses a too deeply nested body, and still answers the next request (RS-24)', async () => {
    const deep = `${'['.repeat(40_000)}${']'.repeat(40_000)}`;
    for (const sent of [deep, `{"order_id":1,"amount":${deep}}`]) {
      const { body } = await post(sent).expect(400);
      expect(body).toMatchObject({ code: 'invalid_body' });
    }
  });

  it('accepts a number with an exponent', async () => {
    const { body } = await post('{"order_id":1,"amount":1e-7}').expect(201);
    expect(body).toEqual({ order_id: 1, amount: 1e-7 });
  });

  it('does not repeat an unreadable URL in the answer', async () => {
    const { body, text } = await request(app.getHttpServer()).get('/%ZZ?access_token=hush').expect(400);
    expect(body).toEqual({ error: 'Invalid URL', code: 'invalid_url' });
    expect(text).not.toContain('hush');
  });

  it('does not repeat a refused request in the answer', async () => {
    for (const sent of ['{"hush-hush":1}x', '{"order_id":{"hush-hush":1},"amount":"hush-hush"}', 'hush-hush']) {
      expect((await post(sent).expect(400)).text).not.toContain('hush-hush');
    }
  });

  it('answers with the body of a thrown HttpException, and with 500 for a value that is not an Error', async () => {
    const conflict = await request(app.getHttpServer()).get('/conflict').expect(409);
    expect(conflict.body).toEqual({ error: 'Sold out', code: 'sold_out' });
    const strange = await request(app.getHttpServer()).get('/strange').expect(500);
    expect(strange.body).toEqual({ error: 'Internal error', code: 'internal_error' });
  });

  it('ends an unfinished response if the handler fails, and logs the error once', async () => {
    printed.length = 0;
    process.stdout.write = (chunk) => printed.push(String(chunk)) > 0;
    const begun = request(app.getHttpServer()).get('/begun').timeout(1000);
    const { status, text } = await Promise.resolve(begun).finally(() => (process.stdout.write = write));
    expect([status, text]).toEqual([200, 'begun']);
    expect(printed).toEqual([expect.stringContaining('a-secret-detail')]);
  });

  it.each(['/broken', '/conflict', '/nowhere'])('sends the security headers even with an error: %s', async (path) => {
    const { headers } = await request(app.getHttpServer()).get(path);
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it('hides the details and the path of an internal error (RS-24)', async () => {
    process.stdout.write = (chunk) => printed.push(String(chunk)) > 0;
    const broken = await request(app.getHttpServer()).get('/broken');
    process.stdout.write = write;
    expect(broken.status).toBe(500);
    expect(broken.body).toEqual({ error: 'Internal error', code: 'internal_error' });
    expect(printed.join('')).toContain('a-secret-detail');
    const unknown = await request(app.getHttpServer()).get('/nowhere/<script>').expect(404);
    expect(unknown.body).toEqual({ error: 'Not found', code: 'not_found' });
  });

  it('sends the security headers, and no header that names the framework', async () => {
    const { headers } = await post(JSON.stringify(ORDER));
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('server');
  });
});
