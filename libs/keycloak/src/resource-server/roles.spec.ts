import { Controller, Get, type INestApplication, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { Public, RequireAnyPermission, RequirePermission, realmRoles, type KeycloakModuleOptions } from '../index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

@Controller()
class Orders {
  @Get('managed')
  @RequirePermission('Order Manager')
  managed(): string {
    return 'managed';
  }

  @Get('counted')
  @RequirePermission('counter')
  counted(): string {
    return 'counted';
  }

  @Get('checked')
  @RequireAnyPermission('Prüfer', 'Order Manager')
  checked(): string {
    return 'checked';
  }
}

let app: INestApplication | undefined;
afterEach(() => app?.close());

async function start(controller: Type, options: Partial<KeycloakModuleOptions>): Promise<INestApplication> {
  const imports = [KeycloakTestingModule.forRoot(options)];
  const module = await Test.createTestingModule({ imports, controllers: [controller] }).compile();
  app = module.createNestApplication(new ExpressAdapter(), { logger: false });
  return app.init();
}

async function get(path: string, ...roles: string[]) {
  const running = app as INestApplication;
  const token = signIn(running, testAccessToken({ claims: { realm_access: { roles } } }));
  const { status, body, headers } = await request(running.getHttpServer()).get(path).auth(token, { type: 'bearer' });
  return { status, permission: Object(body).permission as unknown, challenge: headers['www-authenticate'] };
}

describe('roles', () => {
  const byRoles = { mapPermissions: realmRoles };

  it('may contain spaces and umlauts', async () => {
    await start(Orders, byRoles);
    expect(await get('/managed', 'Order Manager')).toMatchObject({ status: 200 });
    expect(await get('/managed', 'Order', 'Manager')).toEqual({
      status: 403,
      permission: 'Order Manager',
      challenge: 'Bearer realm="test-service", error="insufficient_scope"',
    });
  });

  it('admit a caller that has at least one of the required roles', async () => {
    await start(Orders, byRoles);
    expect(await get('/checked', 'Prüfer')).toMatchObject({ status: 200 });
    expect(await get('/checked', 'Order Manager')).toMatchObject({ status: 200 });
    expect(await get('/checked', 'Clerk')).toMatchObject({ status: 403, permission: 'Prüfer' });
  });

  it('are in no challenge, even if their names are valid scopes', async () => {
    await start(Orders, byRoles);
    expect(await get('/counted')).toEqual({
      status: 403,
      permission: 'counter',
      challenge: 'Bearer realm="test-service", error="insufficient_scope"',
    });
  });

  it('prevent the start without mapPermissions if the name of the role is not a valid scope', async () => {
    await expect(start(Orders, {})).rejects.toThrow(
      /^Orders\.managed \(GET\) demands the permission "Order Manager", which no token has/,
    );
  });

  it('are not needed for a public route', async () => {
    @Controller()
    class Open {
      @Get('open')
      @Public()
      open(): string {
        return 'open';
      }
    }
    await start(Open, {});
    expect(await get('/open')).toMatchObject({ status: 200 });
  });
});
