import { Controller, Get, Scope, type INestApplication, type Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import request from 'supertest';
import {
  Caller,
  Authenticated,
  OptionalToken,
  Public,
  RequirePermission,
  type RouteDecorator,
  type VerifiedAccessToken,
} from '../index.js';
import { KeycloakTestingModule, signIn, testAccessToken } from '../testing/index.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

const SAYINGS = {
  nothing: { decorators: [], answers: [403, 403, 403] },
  public: { decorators: [Public()], answers: [200, 200, 200] },
  optional: { decorators: [OptionalToken()], answers: [200, 200, 200] },
  authenticated: { decorators: [Authenticated()], answers: [401, 200, 200] },
  admin: { decorators: [RequirePermission('admin')], answers: [401, 403, 200] },
} as const satisfies Record<string, { decorators: readonly RouteDecorator[]; answers: readonly number[] }>;

type Saying = keyof typeof SAYINGS;

const NARROWER: readonly Saying[] = ['nothing', 'admin', 'authenticated', 'optional', 'public'];
const narrower = (one: Saying, other: Saying): Saying =>
  NARROWER[Math.min(NARROWER.indexOf(one), NARROWER.indexOf(other))] ?? 'nothing';

/** Replaces the method without its metadata, like many decorators for tracing or caching. */
const Wrapped: MethodDecorator = (_target, _name, descriptor) => {
  const { value } = descriptor as { value?: unknown };
  const wrapper = function (this: unknown, ...given: unknown[]): unknown {
    return (value as (...args: unknown[]) => unknown).apply(this, given);
  };
  return { ...descriptor, value: wrapper } as typeof descriptor;
};

const wrappedAtClass = (type: Type): void => {
  const prototype = type.prototype as object;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'handle') as PropertyDescriptor;
  const wrapped = Wrapped(prototype, 'handle', descriptor) as PropertyDescriptor;
  // Real decorators copy these keys, so that Nest still finds the route.
  for (const key of ['path', 'method'])
    Reflect.defineMetadata(key, Reflect.getMetadata(key, descriptor.value as object), wrapped.value as object);
  Object.defineProperty(prototype, 'handle', wrapped);
};

type Constructed = (instance: Record<string, () => unknown>) => unknown;

const REPLACEMENTS: Readonly<Record<string, Constructed>> = {
  bound: (instance) => Object.assign(instance, { handle: instance['handle']?.bind(instance) }),
  arrow: (instance) => {
    const handle = instance['handle'];
    return Object.assign(instance, { handle: () => handle?.call(instance) });
  },
  proxiedFunction: (instance) => Object.assign(instance, { handle: new Proxy(instance['handle'] as object, {}) }),
  proxyThatBinds: (instance) =>
    new Proxy(instance, { get: (target, name) => bindIfFunction(Reflect.get(target, name), target) }),
  another: (instance) => Object.assign(instance, { handle: instance['other'] }),
};

const HARMLESS: Readonly<Record<string, Constructed>> = {
  plain: (instance) => instance,
  proxied: (instance) => new Proxy(instance, {}),
  frozen: (instance) => Object.freeze(instance),
};

const bindIfFunction = (value: unknown, to: object): unknown =>
  typeof value === 'function' && value !== (to as { constructor: unknown }).constructor
    ? (value.bind(to) as unknown)
    : value;

interface Declared {
  readonly ofClass: Saying;
  readonly ofHandler: Saying;
  readonly wrapped: 'over' | 'under' | 'by the class' | 'not';
  readonly isRouteOutermost: boolean;
}

function methodsOf(type: Type, { ofHandler, wrapped, isRouteOutermost }: Declared): void {
  const access = SAYINGS[ofHandler].decorators;
  const under = wrapped === 'under' ? [Wrapped] : [];
  // The decorators are in source order, but TypeScript applies the last decorator first. A wrapper over @Get() would
  // hide the route from Nest.
  const over = wrapped === 'over' ? [Get('route'), Wrapped, ...access] : undefined;
  const decorators =
    over ?? (isRouteOutermost ? [Get('route'), ...access, ...under] : [...access, Get('route'), ...under]);
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, 'handle') as PropertyDescriptor;
  const made = Reflect.decorate(decorators as MethodDecorator[], type.prototype as object, 'handle', descriptor);
  Object.defineProperty(type.prototype, 'handle', made as PropertyDescriptor);
}

function classOf(type: Type, { ofClass, wrapped }: Declared): void {
  if (wrapped === 'by the class' && Object.hasOwn(type.prototype as object, 'handle')) wrappedAtClass(type);
  for (const decorate of [Controller(), ...SAYINGS[ofClass].decorators]) decorate(type);
}

type Inheritance = 'none' | 'inherited' | 'overridden';

function controllerOf(base: Declared, derived: Declared, inheritance: Inheritance, construct: Constructed): Type {
  class Base {
    constructor() {
      return construct(this as never) as Base;
    }
    handle(): string {
      return 'done';
    }
    other(): string {
      return 'other';
    }
  }
  methodsOf(Base, base);
  classOf(Base, base);
  if (inheritance === 'none') return Base;
  class Inheriting extends Base {}
  class Overriding extends Base {
    override handle(): string {
      return super.handle();
    }
  }
  const Derived = inheritance === 'inherited' ? Inheriting : Overriding;
  if (inheritance === 'overridden') methodsOf(Derived, derived);
  classOf(Derived, derived);
  return Derived;
}

/** The rules are taken from the README, not from the implementation. */
function expectedSaying(base: Declared, derived: Declared, inheritance: Inheritance): Saying | undefined {
  const own = ({ ofHandler, ofClass }: Declared): Saying => (ofHandler === 'nothing' ? ofClass : ofHandler);
  if (inheritance === 'none') return own(base);
  const ofMethod = inheritance === 'overridden' ? derived.ofHandler : 'nothing';
  const said = ofMethod === 'nothing' ? derived.ofClass : ofMethod;
  const demanded = own(base);
  const opens = said === 'public' || said === 'optional';
  const demandsToken = demanded === 'admin' || demanded === 'authenticated';
  const isOfMethod = base.ofHandler !== 'nothing' && ofMethod === 'nothing';
  if (opens && demandsToken && !isOfMethod) return undefined;
  return demanded === 'nothing' ? said : narrower(said, demanded);
}

const ADAPTERS: readonly (readonly [string, () => AbstractHttpAdapter])[] = [
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
];

async function startWith(adapter: () => AbstractHttpAdapter, ...controllers: Type[]): Promise<INestApplication> {
  const imports = [KeycloakTestingModule.forRoot()];
  const module = await Test.createTestingModule({ imports, controllers }).setLogger(SILENT).compile();
  const app = module.createNestApplication(adapter());
  try {
    await app.init();
    await (app.getHttpAdapter().getInstance() as { ready?: () => Promise<void> }).ready?.();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function answersOf(app: INestApplication, path = '/route'): Promise<number[]> {
  const bearers = [['orders.read'], ['orders.read', 'admin']].map((permissions) =>
    signIn(app, testAccessToken({ permissions })),
  );
  const answers = [(await request(app.getHttpServer()).get(path)).status];
  for (const bearer of bearers) {
    answers.push((await request(app.getHttpServer()).get(path).auth(bearer, { type: 'bearer' })).status);
  }
  return answers;
}

const STOPPED = 'stopped: a base class demands a token';

async function outcomeOf(adapter: () => AbstractHttpAdapter, controller: Type): Promise<number[] | string> {
  let app;
  try {
    app = await startWith(adapter, controller);
  } catch (error) {
    return / opens it, but .*Base.* demands a token\. Replace /.test(String(error)) ? STOPPED : String(error);
  }
  try {
    return await answersOf(app);
  } finally {
    await app.close();
  }
}

const declared = fc.record<Declared>({
  ofClass: fc.constantFrom(...NARROWER),
  ofHandler: fc.constantFrom(...NARROWER),
  wrapped: fc.constantFrom('not', 'over', 'under', 'by the class'),
  isRouteOutermost: fc.boolean(),
});
const inheritance = fc.constantFrom<Inheritance>('none', 'inherited', 'overridden');

describe.each(ADAPTERS)('a handler on %s', (_, adapter) => {
  it('admits callers as its decorators say, even if the handler is wrapped, inherited or overridden (RS-20)', async () => {
    await fc.assert(
      fc.asyncProperty(
        declared,
        declared,
        inheritance,
        fc.constantFrom(...Object.keys(HARMLESS)),
        async (base, derived, how, done) => {
          const controller = controllerOf(base, derived, how, HARMLESS[done] as Constructed);
          const expected = expectedSaying(base, derived, how);
          const outcome = expected === undefined ? STOPPED : SAYINGS[expected].answers;
          expect(await outcomeOf(adapter, controller)).toEqual(outcome);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each(Object.keys(REPLACEMENTS))(
    'stops the start with an error that names the handler if the instance replaces the handler: %s (RS-20)',
    async (replacement) => {
      await fc.assert(
        fc.asyncProperty(declared, declared, inheritance, async (base, derived, how) => {
          const controller = controllerOf(base, derived, how, REPLACEMENTS[replacement] as Constructed);
          await expect(startWith(adapter, controller)).rejects.toThrow(`${controller.name}.handle (GET): `);
        }),
        { numRuns: 20 },
      );
    },
  );

  it('refuses all callers if the handler is bound for each request (RS-20)', async () => {
    @Controller({ scope: Scope.REQUEST })
    @Public()
    class PerRequest {
      constructor() {
        this.handle = this.handle.bind(this);
      }
      @Get('route')
      @RequirePermission('admin')
      handle(): string {
        return 'done';
      }
    }
    const app = await startWith(adapter, PerRequest);
    try {
      expect(await answersOf(app)).toEqual([403, 403, 403]);
    } finally {
      await app.close();
    }
  });

  it('stops the start if a class copies both the handler and the constructor of another class (RS-20)', async () => {
    @Controller('elsewhere')
    @Public()
    class Open {
      @Get('route')
      handle(): string {
        return 'done';
      }
    }
    @Controller()
    @RequirePermission('admin')
    class Closed {}
    Object.defineProperties(Closed.prototype, Object.getOwnPropertyDescriptors(Open.prototype));
    await expect(startWith(adapter, Closed)).rejects.toThrow(
      /^Open\.handle \(GET\): its "constructor" is the class Open/,
    );
  });

  it.each(['not', 'over', 'under', 'by the class'] as const)(
    'keeps its permission if another class copies the handler, with this position of a wrapper: %s (RS-20)',
    async (wrapped) => {
      class Trait {
        handle(): string {
          return 'done';
        }
      }
      const declaredThere: Declared = { ofClass: 'nothing', ofHandler: 'admin', wrapped, isRouteOutermost: true };
      methodsOf(Trait, declaredThere);
      if (wrapped === 'by the class') wrappedAtClass(Trait);
      @Controller()
      @Public()
      class Mixed {}
      @Controller('renamed')
      @Public()
      class Renamed {}
      @Controller('silent')
      class Silent {}
      const descriptor = Object.getOwnPropertyDescriptor(Trait.prototype, 'handle') as PropertyDescriptor;
      Object.defineProperty(Mixed.prototype, 'handle', descriptor);
      Object.defineProperty(Renamed.prototype, 'another', descriptor);
      Object.defineProperty(Silent.prototype, 'handle', descriptor);
      const app = await startWith(adapter, Mixed, Renamed, Silent);
      try {
        expect(await answersOf(app)).toEqual([401, 403, 200]);
        expect(await answersOf(app, '/renamed/route')).toEqual([401, 403, 200]);
        expect(await answersOf(app, '/silent/route')).toEqual([403, 403, 403]);
      } finally {
        await app.close();
      }
    },
  );

  it('keeps its permission if another class wraps the handler and copies the metadata (RS-20)', async () => {
    class Trait {
      @Get('route')
      @RequirePermission('admin')
      handle(): string {
        return 'done';
      }
    }
    @Controller()
    @Public()
    class Mixed {}
    const copied = Trait.prototype.handle;
    const wrapper = (): string => copied();
    for (const key of Reflect.getMetadataKeys(copied) as string[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, copied), wrapper);
    Object.defineProperty(Mixed.prototype, 'handle', { value: wrapper });
    const app = await startWith(adapter, Mixed);
    try {
      expect(await answersOf(app)).toEqual([401, 403, 200]);
    } finally {
      await app.close();
    }
  });

  it('stops the start if the handler has two names (RS-20)', async () => {
    @Controller()
    @Public()
    class Twice {
      @Get('route')
      @RequirePermission('admin')
      handle(): string {
        return 'done';
      }
    }
    Object.defineProperty(Twice.prototype, 'again', { value: Twice.prototype.handle });
    await expect(startWith(adapter, Twice)).rejects.toThrow(/is a method with two names|already declared/);
  });

  it('has separate access rules for each controller that inherits the handler (RS-20)', async () => {
    class Base {
      @Get('route')
      @Authenticated()
      handle(): string {
        return 'done';
      }
    }
    @Controller()
    @RequirePermission('admin')
    class Admin extends Base {}
    @Controller('open')
    @Public()
    class Open extends Base {}
    @Controller('silent')
    class Silent extends Base {}
    const app = await startWith(adapter, Admin, Open, Silent);
    const bearer = signIn(app, testAccessToken({ permissions: ['orders.read'] }));
    const statuses = [];
    for (const path of ['/route', '/open/route', '/silent/route', '/route', '/open/route', '/silent/route']) {
      statuses.push((await request(app.getHttpServer()).get(path).auth(bearer, { type: 'bearer' })).status);
    }
    await app.close();
    expect(statuses).toEqual([403, 200, 403, 403, 200, 403]);
  });

  it('receives the caller, or undefined without a token, even if the handler is wrapped', async () => {
    @Controller()
    class Optional {
      @Get('route')
      @Wrapped
      @OptionalToken()
      handle(@Caller() token: VerifiedAccessToken | undefined): object {
        return { subject: token?.subject ?? null };
      }
    }
    const app = await startWith(adapter, Optional);
    const bearer = signIn(app, testAccessToken({ subject: 'alice' }));
    const none = await request(app.getHttpServer()).get('/route');
    const alices = await request(app.getHttpServer()).get('/route').auth(bearer, { type: 'bearer' });
    await app.close();
    expect([none.body, alices.body]).toEqual([{ subject: null }, { subject: 'alice' }]);
  });
});
