import { Controller, Get, Query, ValidationPipe, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { Caller, Authenticated, VerifiedAccessToken } from '../index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

@Controller()
@Authenticated()
class OrdersController {
  @Get('subject')
  subject(@Query('of') of: string, @Caller() caller: VerifiedAccessToken): object {
    return { of, isVerified: caller instanceof VerifiedAccessToken, subject: caller.subject };
  }
}

class Inheriting extends OrdersController {}
Controller('inherited')(Inheriting);
Authenticated()(Inheriting);

let app: INestApplication;

afterEach(() => app.close());

describe('a ValidationPipe that transforms the parameters of custom decorators', () => {
  it.each(['/subject', '/inherited/subject'])('leaves the verified token unchanged: %s', async (path) => {
    const imports = [KeycloakTestingModule.forRoot()];
    const controllers = [OrdersController, Inheriting];
    const module = await Test.createTestingModule({ imports, controllers }).compile();
    app = module.createNestApplication(new ExpressAdapter(), { logger: false });
    app.useGlobalPipes(new ValidationPipe({ transform: true, validateCustomDecorators: true, whitelist: true }));
    await app.init();
    const bearer = signIn(app, testAccessToken({ subject: 'alice' }));
    const { body } = await request(app.getHttpServer()).get(path).query({ of: '7' }).auth(bearer, { type: 'bearer' });
    expect(body).toEqual({ of: '7', isVerified: true, subject: 'alice' });
  });
});
