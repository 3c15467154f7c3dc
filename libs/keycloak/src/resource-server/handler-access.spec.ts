import { Controller, Get, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  KeycloakModule,
  OptionalToken,
  Public,
  RequireAnyPermission,
  RequirePermission,
  type KeycloakModuleOptions,
} from '../index.js';
import { HandlerAccess } from '../entry-points/extension/index.js';
import { KeycloakTestingModule } from '../testing/index.js';

@Authenticated()
class Orders {
  @Public()
  status(): void {}

  @OptionalToken()
  offers(): void {}

  mine(): void {}

  @RequirePermission('orders.read', 'two words')
  @RequireAnyPermission('orders.approve', 'orders.audit')
  @RequireAnyPermission('orders.audit', 'orders.read')
  approve(): void {}
}

class Forgotten {
  list(): void {}
}

@RequirePermission('orders.use')
class Base {
  list(): void {}
}

class Derived extends Base {
  @RequirePermission('orders.list')
  override list(): void {}
}

@Controller()
class Foreign {
  constructor(readonly access: HandlerAccess) {}

  @Get('foreign')
  @Public()
  read(): void {}
}
Reflect.defineMetadata('design:paramtypes', [HandlerAccess], Foreign);

@Module({ controllers: [Foreign] })
class ForeignModule {}

const KEYCLOAK = { issuer: 'https://sso.example.com/realms/shop', clientId: 'orders', clientSecret: 'hush' };

let compiled: TestingModule;
afterEach(() => compiled.close());

async function accessWith(options: Partial<KeycloakModuleOptions> = {}): Promise<HandlerAccess> {
  const imports = [KeycloakModule.forRoot({ ...KEYCLOAK, ...options }), ForeignModule];
  compiled = await KeycloakTestingModule.override(Test.createTestingModule({ imports })).compile();
  return compiled.get(Foreign, { strict: false }).access;
}

describe('HandlerAccess', () => {
  it('tells a module of the application how a handler is opened', async () => {
    const access = await accessWith();
    const openings = [
      access.of(Orders, Orders.prototype.status),
      access.of(Orders, Orders.prototype.offers),
      access.of(Orders, Orders.prototype.mine),
      access.of(Forgotten, Forgotten.prototype.list),
      access.of(Orders, Forgotten.prototype.list),
    ].map(({ opening }) => opening);
    expect(openings).toEqual(['public', 'optional', 'authenticated', 'closed', 'closed']);
  });

  it('names each scope once, and the first scope of each list of which one is enough', async () => {
    const access = await accessWith();
    expect(access.of(Orders, Orders.prototype.approve)).toEqual({
      opening: 'authenticated',
      permissions: ['orders.read', 'two words'],
      anyOf: [
        ['orders.approve', 'orders.audit'],
        ['orders.audit', 'orders.read'],
      ],
      scopes: ['orders.read', 'orders.approve', 'orders.audit'],
    });
  });

  it('adds the demands of base classes', async () => {
    const access = await accessWith();
    expect(access.of(Derived, Derived.prototype.list).scopes).toEqual(['orders.list', 'orders.use']);
  });

  it('names no scope if mapPermissions replaces the scopes of tokens', async () => {
    const access = await accessWith({ mapPermissions: () => [] });
    expect(access.permissionsAreScopes).toBe(false);
    expect(access.of(Orders, Orders.prototype.approve)).toMatchObject({
      permissions: ['orders.read', 'two words'],
      scopes: [],
    });
  });

  it('returns the metadata URL only with the option protectedResource (RFC 9728 section 5.1)', async () => {
    const request = { method: 'GET', headers: {} };
    expect((await accessWith()).metadataUrlOf(request)).toBeUndefined();
    await compiled.close();
    const described = await accessWith({ protectedResource: { resource: 'https://api.example.com/orders' } });
    expect(described.metadataUrlOf(request)).toBe(
      'https://api.example.com/.well-known/oauth-protected-resource/orders',
    );
  });
});
