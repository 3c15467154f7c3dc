import { Controller, Get, type INestApplication, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  AllowClients,
  Authenticated,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequireAnyPermission,
  RequireStepUp,
  RequirePermission,
  TokenVerification,
  type RouteDecorator,
} from '../index.js';
import { addKeycloakSecurity } from '../entry-points/swagger/index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';
import { classAccess, routeAccess, type RouteAccess } from './route-access.js';

type Decorators = readonly RouteDecorator[];

interface Pair {
  readonly base: Type;
  readonly derived: Type;
}

function decorate(type: Type, decorators: Decorators): Type {
  for (const decorator of decorators) decorator(type);
  return type;
}

function named(name: string): Type {
  class Base {
    handle(): string {
      return 'done';
    }
  }
  Object.defineProperty(Base, 'name', { value: name });
  const descriptor = Object.getOwnPropertyDescriptor(Base.prototype, 'handle') as PropertyDescriptor;
  Get('route')(Base.prototype, 'handle', descriptor);
  return Base;
}

const SHAPES: Readonly<Record<string, (base: Type) => Type>> = {
  'a derived class': (base) => class Derived extends base {},
  'the subclass that a decorator returns': (base) => class extends base {},
  'a class on a mixin': (base) => {
    const Audited = (of: Type): Type => class extends of {};
    return class Derived extends Audited(base) {};
  },
  'a class several levels below': (base) => {
    class Middle extends base {}
    class Lower extends Middle {}
    return class Derived extends Lower {};
  },
  'a class that overrides the handler': (base) =>
    class Derived extends base {
      handle(): string {
        return 'overridden';
      }
    },
  'a class that the handler is copied to': (base) => {
    class Derived {
      readonly name = 'derived';
    }
    const descriptor = Object.getOwnPropertyDescriptor(base.prototype, 'handle') as PropertyDescriptor;
    Object.defineProperty(Derived.prototype, 'handle', descriptor);
    return Derived;
  },
};

function pairOf(shape: string, ofBase: Decorators, ofDerived: Decorators): Pair {
  const base = decorate(named('Base'), ofBase);
  const derived = SHAPES[shape]?.(base) as Type;
  const { value } = Object.getOwnPropertyDescriptor(derived.prototype, 'handle') ?? {};
  if (value !== undefined) Get('route')(derived.prototype as object, 'handle', { value: value as unknown });
  return { base, derived: decorate(derived, ofDerived) };
}

const accessOf = ({ derived }: Pair): RouteAccess =>
  routeAccess(derived, (derived.prototype as { readonly handle: object }).handle);

const GOLD = RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 600 });

const SUMS: readonly (readonly [string, Decorators, Decorators, Partial<RouteAccess>])[] = [
  ['a permission', [RequirePermission('p')], [Authenticated()], { opening: 'authenticated', permissions: ['p'] }],
  [
    'the permissions of both classes',
    [RequirePermission('p')],
    [RequirePermission('q', 'p')],
    { permissions: ['q', 'p'] },
  ],
  [
    'one permission of each list',
    [RequireAnyPermission('p', 'q')],
    [RequireAnyPermission('r', 's')],
    {
      anyOf: [
        ['r', 's'],
        ['p', 'q'],
      ],
    },
  ],
  ['an equal list once', [RequireAnyPermission('p', 'q')], [RequireAnyPermission('p', 'q')], { anyOf: [['p', 'q']] }],
  ['the common clients', [AllowClients('a', 'b')], [Authenticated(), AllowClients('b', 'c')], { clients: ['b'] }],
  [
    'the clients of the base class',
    [AllowClients('a')],
    [RequirePermission('q')],
    { clients: ['a'], permissions: ['q'] },
  ],
  [
    'the introspection age of the base class',
    [MaxIntrospectionAge({ seconds: 5 })],
    [Authenticated()],
    { maxStalenessSeconds: 5 },
  ],
  [
    'the smaller introspection age',
    [MaxIntrospectionAge({ seconds: 5 })],
    [Authenticated(), MaxIntrospectionAge({ seconds: 9 })],
    { maxStalenessSeconds: 5 },
  ],
  [
    'the common acr, and the smaller login age',
    [GOLD],
    [RequireStepUp({ acr: ['bronze', 'silver'], maxAgeSeconds: 900 })],
    { authentication: { acrValues: ['silver'], maxAgeSeconds: 600 } },
  ],
  [
    'introspection of the base class',
    [TokenVerification('introspection')],
    [Authenticated(), TokenVerification('jwt')],
    { verification: 'introspection' },
  ],
  [
    'jwt of the base class, which is not inherited',
    [TokenVerification('jwt')],
    [Authenticated()],
    { verification: undefined },
  ],
  ['an optional token of both classes', [OptionalToken()], [OptionalToken()], { opening: 'optional' }],
  ['an optional token of the base class', [OptionalToken()], [Public()], { opening: 'optional' }],
  [
    'nothing of a public base class',
    [Public()],
    [RequirePermission('q')],
    { opening: 'authenticated', permissions: ['q'] },
  ],
  ['nothing, so the handler stays closed', [Public()], [], { opening: 'closed', fault: undefined }],
  ['a permission, but the handler stays closed', [RequirePermission('p')], [], { opening: 'closed', fault: undefined }],
];

const FAULTS: readonly (readonly [string, Decorators, Decorators, RegExp])[] = [
  [
    '@Public() over a permission',
    [RequirePermission('p')],
    [Public()],
    /^@Public\(\) opens it, but the (?:base )?class Base demands a token\. Replace @Public\(\) with @Authenticated\(\), or remove the demand from the (?:base )?class Base$/,
  ],
  [
    '@Public() over @Authenticated()',
    [Authenticated()],
    [Public()],
    /^@Public\(\) opens it, but the .*class Base demands/,
  ],
  ['@Public() over clients', [AllowClients('a')], [Public()], /^@Public\(\) opens it, but the .*class Base demands/],
  ['@Public() over a login', [GOLD], [Public()], /^@Public\(\) opens it, but the .*class Base demands/],
  [
    '@Public() over an optional token with a permission',
    [OptionalToken(), RequirePermission('p')],
    [Public()],
    /^@Public\(\) opens it, but the .*class Base demands/,
  ],
  [
    '@OptionalToken() over a permission',
    [RequirePermission('p')],
    [OptionalToken()],
    /^@OptionalToken\(\) opens it, but the .*class Base demands a token\. Replace @OptionalToken\(\) with/,
  ],
  ['@OptionalToken() over @Authenticated()', [Authenticated()], [OptionalToken()], /^@OptionalToken\(\) opens it/],
  [
    'no client in common',
    [AllowClients('a')],
    [Authenticated(), AllowClients('b')],
    /^@AllowClients\(\) here and at the .*class Base have no client in common, so no token passes\. Name a client in both/,
  ],
  [
    'no level in common',
    [GOLD],
    [RequireStepUp({ acr: 'bronze' })],
    /^@RequireStepUp\(\) here and at the .*class Base have no acr in common, so no token passes\. Name an acr in both/,
  ],
];

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

async function startWith(...controllers: Type[]): Promise<INestApplication> {
  const imports = [KeycloakTestingModule.forRoot()];
  const module = await Test.createTestingModule({ imports, controllers }).setLogger(SILENT).compile();
  const app = module.createNestApplication();
  try {
    return await app.init();
  } catch (error) {
    await app.close();
    throw error;
  }
}

describe.each(Object.keys(SHAPES))('%s', (shape) => {
  it.each(SUMS)('adds up the demands of base class and subclass: %s (RS-29)', (_, ofBase, ofDerived, expected) => {
    expect(accessOf(pairOf(shape, ofBase, ofDerived))).toMatchObject(expected);
  });

  it.each(FAULTS)('stops the start: %s (RS-29)', async (_, ofBase, ofDerived, fault) => {
    const pair = pairOf(shape, ofBase, ofDerived);
    expect(accessOf(pair)).toMatchObject({ opening: 'closed', fault: expect.stringMatching(fault) });
    Controller()(pair.derived);
    await expect(startWith(pair.derived)).rejects.toThrow(/\.handle \(GET\): @/);
  });

  it('answers 403 if the token has the permission of only one class, and 200 with both (RS-29)', async () => {
    const { derived } = pairOf(shape, [RequirePermission('base')], [RequirePermission('derived')]);
    Controller()(derived);
    const app = await startWith(derived);
    const answered = async (...permissions: string[]) => {
      const bearer = signIn(app, testAccessToken({ permissions }));
      const { status, headers } = await request(app.getHttpServer()).get('/route').auth(bearer, { type: 'bearer' });
      return [status, /scope="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1]];
    };
    try {
      expect(await answered('derived')).toEqual([403, 'derived base']);
      expect(await answered('base')).toEqual([403, 'derived base']);
      expect(await answered()).toEqual([403, 'derived base']);
      expect(await answered('base', 'derived')).toEqual([200, undefined]);
      expect((await request(app.getHttpServer()).get('/route')).status).toBe(401);
      const document = addKeycloakSecurity(app, SwaggerModule.createDocument(app, new DocumentBuilder().build()));
      expect(document.paths['/route']?.get?.security).toContainEqual({ keycloak: ['derived', 'base'] });
    } finally {
      await app.close();
    }
  });
});

describe('a class decorator that returns a subclass', () => {
  const Extended = <Class extends Type>(type: Class): Class => class extends type {};

  @Authenticated()
  @Extended
  @RequirePermission('admin')
  @Controller()
  class Reports {
    @Get('all')
    all(): string {
      return 'admin data';
    }
    @Get('own')
    @Authenticated()
    own(): string {
      return 'own';
    }
  }

  it('keeps the demands of other class decorators, unless a method decorator replaces the demands (RS-29)', async () => {
    const app = await startWith(Reports);
    const statuses = async (...permissions: string[]) => {
      const bearer = signIn(app, testAccessToken({ permissions }));
      const asked = ['/all', '/own'].map((path) =>
        request(app.getHttpServer()).get(path).auth(bearer, { type: 'bearer' }),
      );
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    try {
      expect(await statuses()).toEqual([403, 200]);
      expect(await statuses('admin')).toEqual([200, 200]);
    } finally {
      await app.close();
    }
  });
});

describe('the demands of access decorators on a method', () => {
  const onHandler = (type: Type, ...decorators: Decorators): void => {
    const descriptor = Object.getOwnPropertyDescriptor(type.prototype, 'handle') as PropertyDescriptor;
    for (const decorator of decorators) decorator(type.prototype as object, 'handle', descriptor);
  };

  function overriding(base: Type): Type {
    return class Derived extends base {
      handle(): string {
        return 'overridden';
      }
    };
  }

  it('apply to the method that overrides the decorated method (RS-29)', () => {
    const base = named('Base');
    onHandler(base, RequirePermission('p'), AllowClients('a'));
    const derived = overriding(base);
    onHandler(derived, Authenticated());
    expect(accessOf({ base, derived })).toMatchObject({ permissions: ['p'], clients: ['a'] });
  });

  it("include the base class's demands if a derived class adds the method (RS-29)", () => {
    const base = decorate(named('Base'), [RequirePermission('p')]);
    class Derived extends base {
      other(): void {}
    }
    RequirePermission('q')(Derived.prototype, 'other', { value: Derived.prototype.other });
    expect(routeAccess(Derived, Derived.prototype.other).permissions).toEqual(['q', 'p']);
  });

  it.each<[string, RouteDecorator]>([
    ['@Public()', Public()],
    ['@OptionalToken()', OptionalToken()],
  ])('can not be removed by %s on the method that overrides the decorated method (RS-29)', (decorator, opening) => {
    const base = named('Base');
    onHandler(base, RequirePermission('p'));
    const derived = overriding(base);
    onHandler(derived, opening);
    expect(accessOf({ base, derived })).toMatchObject({
      opening: 'closed',
      fault: `${decorator} opens it, but Base.handle demands a token. Replace ${decorator} with @Authenticated(), or remove the demand from Base.handle`,
    });
  });

  it('stop the start if no client satisfies all demands, with an error that names the method (RS-29)', () => {
    const base = named('Base');
    onHandler(base, AllowClients('a'));
    const derived = overriding(base);
    onHandler(derived, Authenticated(), AllowClients('b'));
    expect(accessOf({ base, derived }).fault).toMatch(/here and at Base\.handle have no client in common/);
  });
});

describe('a gateway', () => {
  it('applies the demands of its base classes to a connecting client (RS-29)', () => {
    const { derived } = pairOf(
      'a derived class',
      [RequirePermission('p'), AllowClients('a')],
      [RequirePermission('q')],
    );
    expect(classAccess(derived.prototype as object)).toMatchObject({ permissions: ['q', 'p'], clients: ['a'] });
  });
});

describe('a copied handler', () => {
  it('has the demands of its declaring class, but not the demands of other classes with a copy (RS-29)', () => {
    const source = decorate(named('Source'), [RequirePermission('p')]);
    const copies = ['q', 'r'].map((permission) => {
      const copy = SHAPES['a class that the handler is copied to']?.(source) as Type;
      return decorate(copy, [RequirePermission(permission)]);
    });
    const permissionsOf = (derived: Type) => accessOf({ base: source, derived }).permissions;
    expect([source, ...copies].map(permissionsOf)).toEqual([['p'], ['q', 'p'], ['r', 'p']]);
  });

  it('has all demands of its declaring class, including inherited demands (RS-29)', () => {
    class Root {
      root(): void {}
    }
    RequirePermission('root')(Root);
    class Source extends Root {
      handle(): void {}
    }
    MaxIntrospectionAge({ seconds: 1 })(Source);
    class Copy {
      own(): void {}
    }
    Object.defineProperty(Copy.prototype, 'handle', { value: Source.prototype.handle });
    Authenticated()(Copy);
    expect(routeAccess(Copy, Source.prototype.handle)).toMatchObject({ permissions: ['root'], maxStalenessSeconds: 1 });
  });

  describe('a handler copied from an undecorated class that extends a decorated class', () => {
    function mixed(...opening: Decorators): { middle: Type; copy: Type } {
      class Base {
        base(): void {}
      }
      RequirePermission('admin')(Base);
      class Middle extends Base {
        handle(): string {
          return 'admin data';
        }
      }
      const descriptor = Object.getOwnPropertyDescriptor(Middle.prototype, 'handle') as PropertyDescriptor;
      Get('route')(Middle.prototype, 'handle', descriptor);
      class Copy {
        own(): void {}
      }
      Object.defineProperty(Copy.prototype, 'handle', descriptor);
      Controller('middle')(Middle);
      Controller('copy')(decorate(Copy, opening));
      return { middle: Middle, copy: Copy };
    }

    const answers = async (app: INestApplication, path: string) => {
      const statuses = [];
      for (const permissions of [[], ['admin']]) {
        const bearer = signIn(app, testAccessToken({ permissions }));
        statuses.push((await request(app.getHttpServer()).get(path).auth(bearer, { type: 'bearer' })).status);
      }
      return statuses;
    };

    it.each(['before', 'after'])(
      'keeps the demands of the decorated class if the undecorated class is registered %s the copy (RS-29)',
      async (order) => {
        const { middle, copy } = mixed(Authenticated());
        const app = await startWith(...(order === 'before' ? [middle, copy] : [copy, middle]));
        try {
          expect(await answers(app, '/copy/route')).toEqual([403, 200]);
          expect(await answers(app, '/middle/route')).toEqual([403, 403]);
        } finally {
          await app.close();
        }
      },
    );

    it('keeps the demands of the decorated class if only a subclass of the undecorated class is registered (RS-29)', async () => {
      const { middle, copy } = mixed(Authenticated());
      @Controller('lower')
      class Lower extends middle {}
      const app = await startWith(copy, Lower);
      try {
        expect(await answers(app, '/copy/route')).toEqual([403, 200]);
      } finally {
        await app.close();
      }
    });

    it('keeps the demands of the decorated class after an application without the undecorated class (RS-29)', async () => {
      const { middle, copy } = mixed(Authenticated());
      const alone = await startWith(copy);
      await alone.close();
      const app = await startWith(copy, middle);
      try {
        expect(await answers(app, '/copy/route')).toEqual([403, 200]);
      } finally {
        await app.close();
      }
    });

    it('stops the start if the copy is @Public() (RS-29)', async () => {
      const { middle, copy } = mixed(Public());
      await expect(startWith(middle, copy)).rejects.toThrow(/^Copy\.handle \(GET\): @Public\(\) opens it/);
    });
  });
});
