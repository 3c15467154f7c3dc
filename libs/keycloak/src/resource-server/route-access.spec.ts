import { describe, expect, it } from '@jest/globals';
import {
  AllowClients,
  Authenticated,
  MaxIntrospectionAge,
  OptionalToken,
  Public,
  RequireAnyPermission,
  RequireStepUp,
  RequirePermission,
} from './access.decorators.js';
import { routeAccess, type RouteAccess } from './route-access.js';

type Decorator = ClassDecorator & MethodDecorator;

function on(controller: { readonly prototype: object }, ...decorators: readonly Decorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(controller.prototype, 'handler') as PropertyDescriptor;
  for (const decorate of decorators) decorate(controller.prototype, 'handler', descriptor);
}

function accessOf(ofHandler: readonly Decorator[], ofClass: readonly Decorator[] = []): RouteAccess {
  class Controller {
    handler(): void {}
  }
  on(Controller, ...ofHandler);
  for (const decorate of ofClass) decorate(Controller);
  return routeAccess(Controller, Controller.prototype.handler);
}

const RECENT = RequireStepUp({ maxAgeSeconds: 60 });
const DEMANDS_RECENT = { authentication: { acrValues: [], maxAgeSeconds: 60 } };
const GOLD = RequireStepUp({ acr: ['gold', 'silver'] });

describe('routeAccess', () => {
  it.each<[string, readonly Decorator[], readonly Decorator[], Partial<RouteAccess>]>([
    ['no decorator', [], [], { opening: 'closed', permissions: [], clients: [] }],
    ['@AllowClients alone', [AllowClients('a')], [], { opening: 'closed', clients: ['a'] }],
    ['@AllowClients alone, on the class', [], [AllowClients('a')], { opening: 'closed' }],
    ['@Public', [Public()], [], { opening: 'public' }],
    ['@OptionalToken', [OptionalToken()], [], { opening: 'optional' }],
    [
      '@RequireStepUp alone',
      [RequireStepUp({ acr: 'gold' })],
      [],
      { opening: 'authenticated', authentication: { acrValues: ['gold'], maxAgeSeconds: undefined } },
    ],
    [
      '@RequireStepUp alone, on the class',
      [],
      [RequireStepUp({ maxAgeSeconds: 60 })],
      { opening: 'authenticated', authentication: { acrValues: [], maxAgeSeconds: 60 } },
    ],
    ['@OptionalToken with a step-up', [OptionalToken(), RECENT], [], { opening: 'optional', ...DEMANDS_RECENT }],
    ['@Authenticated', [Authenticated()], [], { opening: 'authenticated', permissions: [] }],
    ['@RequirePermission', [RequirePermission('p', 'q')], [], { opening: 'authenticated', permissions: ['p', 'q'] }],
    ['@Authenticated with clients', [Authenticated(), AllowClients('a', 'b')], [], { clients: ['a', 'b'] }],
    [
      '@OptionalToken with a permission',
      [OptionalToken(), RequirePermission('p')],
      [],
      { opening: 'optional', permissions: ['p'] },
    ],
  ])('returns the access for %s (RS-20)', (_, ofHandler, ofClass, expected) => {
    expect(accessOf(ofHandler, ofClass)).toMatchObject(expected);
  });

  it.each<[string, readonly Decorator[], readonly Decorator[], Partial<RouteAccess>]>([
    ['the class decides for a handler without decorators', [], [RequirePermission('p')], { permissions: ['p'] }],
    ['a permission replaces @Public', [RequirePermission('p')], [Public()], { opening: 'authenticated' }],
    ['@Public replaces a permission', [Public()], [RequirePermission('p')], { opening: 'public', permissions: [] }],
    ['@Authenticated replaces a permission', [Authenticated()], [RequirePermission('p')], { permissions: [] }],
    ['one permission replaces another', [RequirePermission('q')], [RequirePermission('p')], { permissions: ['q'] }],
    ['clients remain with @Authenticated', [Authenticated()], [AllowClients('a')], { clients: ['a'] }],
    ['a step-up replaces another', [RECENT], [GOLD], { opening: 'authenticated', ...DEMANDS_RECENT }],
    ['a step-up remains with @Authenticated', [Authenticated()], [RECENT], DEMANDS_RECENT],
    ['a step-up remains with an optional token', [OptionalToken()], [RECENT], DEMANDS_RECENT],
    ['a step-up remains with a permission', [RequirePermission('p')], [RECENT], DEMANDS_RECENT],
    [
      'a permission remains with a step-up',
      [RECENT],
      [RequirePermission('p')],
      { opening: 'authenticated', permissions: ['p'], ...DEMANDS_RECENT },
    ],
    ['a step-up replaces @Public', [RECENT], [Public()], { opening: 'authenticated', ...DEMANDS_RECENT }],
    ['a step-up replaces @OptionalToken', [RECENT], [OptionalToken()], { opening: 'authenticated', ...DEMANDS_RECENT }],
    ['clients replace clients', [AllowClients('b')], [Authenticated(), AllowClients('a')], { clients: ['b'] }],
  ])('combines the decorators of handler and class: %s', (_, ofHandler, ofClass, expected) => {
    expect(accessOf(ofHandler, ofClass)).toMatchObject(expected);
  });
});

describe('decorators that contradict each other', () => {
  it.each<[string, readonly Decorator[], RegExp]>([
    ['a permission', [Public(), RequirePermission('p')], /@Public\(\).*@RequirePermission\(\)/],
    ['clients', [Public(), AllowClients('a')], /@Public\(\).*@AllowClients\(\)/],
    ['a step-up', [Public(), RECENT], /@Public\(\).*@RequireStepUp\(\)/],
  ])('close the handler: @Public with %s (RS-20)', (_, decorators, fault) => {
    expect(accessOf(decorators)).toMatchObject({ opening: 'closed', fault: expect.stringMatching(fault) });
  });

  it('close a handler with @Public if its class has @RequireStepUp (RS-20)', () => {
    expect(accessOf([Public()], [RECENT])).toMatchObject({ opening: 'closed', fault: expect.any(String) });
  });

  it('are not reported if the combination of decorators is valid', () => {
    for (const decorators of [[], [Public()], [OptionalToken(), RequirePermission('p'), AllowClients('a')]]) {
      expect(accessOf(decorators).fault).toBeUndefined();
    }
  });
});

describe.each([
  ['@RequirePermission', RequirePermission],
  ['@RequireAnyPermission', RequireAnyPermission],
])('%s', (_, decorator) => {
  it.each(['', ' ', 'a\nb', 'a\u0000', 7, undefined, null])('rejects %j, which is not a name', (permission) => {
    expect(() => decorator(permission as string)).toThrow(TypeError);
    expect(() => decorator('good', permission as string)).toThrow(TypeError);
  });

  it.each(['Order Manager', 'Prüfer', 'a"b'])('accepts the role name %j', (name) => {
    expect(() => decorator(name)).not.toThrow();
  });
});

describe('@RequireAnyPermission', () => {
  it('demands a token, replaces the class decorator, and combines with other handler decorators', () => {
    expect(accessOf([RequireAnyPermission('p', 'q')])).toMatchObject({ opening: 'authenticated', anyOf: [['p', 'q']] });
    expect(accessOf([RequireAnyPermission('p')], [RequirePermission('r')])).toMatchObject({
      permissions: [],
      anyOf: [['p']],
    });
    expect(accessOf([RequirePermission('r')], [RequireAnyPermission('p')])).toMatchObject({
      permissions: ['r'],
      anyOf: [],
    });
    const both = accessOf([RequireAnyPermission('p', 'q'), RequireAnyPermission('s'), RequirePermission('r')]);
    expect(both).toMatchObject({ permissions: ['r'], anyOf: expect.arrayContaining([['p', 'q'], ['s']]) });
    expect(accessOf([], [RequireAnyPermission('p')])).toMatchObject({ opening: 'authenticated', anyOf: [['p']] });
  });

  it('contradicts @Public', () => {
    expect(accessOf([Public(), RequireAnyPermission('p')])).toMatchObject({
      opening: 'closed',
      fault: '@Public() verifies no token, but @RequireAnyPermission() needs one',
    });
  });
});

describe('decorators on one target', () => {
  it('are combined if all decorators are @RequirePermission (RS-20)', () => {
    expect(accessOf([RequirePermission('q'), RequirePermission('p')]).permissions).toEqual(['p', 'q']);
  });

  it.each<[string, readonly Decorator[]]>([
    ['@Public with @Authenticated', [Public(), Authenticated()]],
    ['@Authenticated with @Public', [Authenticated(), Public()]],
    ['@OptionalToken with @Authenticated', [OptionalToken(), Authenticated()]],
    ['@AllowClients twice', [AllowClients('a'), AllowClients('b')]],
    ['@RequireStepUp twice', [RECENT, GOLD]],
  ])('throw TypeError in any order: %s', (_, decorators) => {
    expect(() => accessOf(decorators)).toThrow(TypeError);
    expect(() => accessOf([], decorators)).toThrow(TypeError);
  });
});

describe('a derived controller', () => {
  it.each<[string, Decorator]>([
    ['@Public', Public()],
    ['@OptionalToken', OptionalToken()],
    ['@RequirePermission', RequirePermission('p')],
    ['@RequireStepUp', RECENT],
  ])('is closed if only its base class has %s, and is opened by its own decorator (RS-20)', (_, decorate) => {
    class OpenClass {
      handler(): void {}
    }
    decorate(OpenClass);
    class OpenHandler {
      handler(): void {}
    }
    on(OpenHandler, decorate);
    for (const Base of [OpenClass, OpenHandler]) {
      class Silent extends Base {}
      class Derived extends Base {}
      RequirePermission('admin.only')(Derived);
      expect(routeAccess(Silent, Base.prototype.handler).opening).toBe('closed');
      const { opening, permissions } = routeAccess(Derived, Base.prototype.handler);
      expect({ opening, permissions: permissions[0] }).toEqual({
        opening: 'authenticated',
        permissions: 'admin.only',
      });
    }
  });

  it.each<[string, readonly Decorator[], readonly Decorator[], Partial<RouteAccess>]>([
    ['a permission', [RequirePermission('q')], [RequirePermission('p')], { permissions: ['p', 'q'] }],
    ['a token', [Authenticated()], [Public()], { opening: 'authenticated' }],
    ['a permission despite its @Public', [RequirePermission('q')], [Public()], { opening: 'authenticated' }],
    ['a client despite its @Public', [AllowClients('a')], [Public()], { opening: 'authenticated', clients: ['a'] }],
    ['a common client', [AllowClients('a', 'b')], [Authenticated(), AllowClients('b', 'c')], { clients: ['b'] }],
    [
      'no common client, so the handler is closed',
      [AllowClients('a')],
      [Public(), AllowClients('b')],
      { opening: 'closed' },
    ],
    ['a step-up despite its @Public', [RECENT], [Public()], { opening: 'authenticated', ...DEMANDS_RECENT }],
    [
      'a common acr in the order of the derived class, and the smaller age',
      [RequireStepUp({ acr: ['silver', 'gold', 'bronze'], maxAgeSeconds: 600 })],
      [RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 60 })],
      { opening: 'authenticated', authentication: { acrValues: ['gold', 'silver'], maxAgeSeconds: 60 } },
    ],
    ['an acr and an age', [GOLD], [RECENT], { authentication: { acrValues: ['gold', 'silver'], maxAgeSeconds: 60 } }],
    [
      'no common acr, so the handler is closed',
      [RequireStepUp({ acr: 'bronze' })],
      [GOLD],
      {
        opening: 'closed',
        fault:
          '@RequireStepUp() here and at Base.handler have no acr in common, so no token passes. Name an acr in both, or remove one of them',
      },
    ],
    [
      'the smaller introspection age of the base class',
      [MaxIntrospectionAge({ seconds: 1 })],
      [MaxIntrospectionAge({ seconds: 5 })],
      { maxStalenessSeconds: 1 },
    ],
    [
      'the smaller introspection age of the derived class',
      [MaxIntrospectionAge({ seconds: 5 })],
      [MaxIntrospectionAge({ seconds: 1 })],
      { maxStalenessSeconds: 1 },
    ],
  ])(
    'requires what its own decorators and the handler of its base class require: %s (RS-20)',
    (_, ofHandler, ofClass, expected) => {
      class Base {
        handler(): void {}
      }
      on(Base, ...ofHandler);
      class Derived extends Base {}
      for (const decorate of ofClass) decorate(Derived);
      expect(routeAccess(Derived, Base.prototype.handler)).toMatchObject(expected);
    },
  );

  it('can decorate an inherited handler without an effect on the base class or other subclasses', () => {
    class Base {
      handler(): void {}
    }
    class Derived extends Base {}
    class Sister extends Base {}
    RequirePermission('p')(Derived.prototype, 'handler', { value: Base.prototype.handler });
    expect(routeAccess(Derived, Base.prototype.handler)).toMatchObject({ permissions: ['p'] });
    for (const other of [Base, Sister]) expect(routeAccess(other, Base.prototype.handler).opening).toBe('closed');
  });
});

describe('a handler', () => {
  class Controller {
    handler(): void {}
    other(): void {}
  }
  Public()(Controller);

  it.each([
    ['a bound method', Controller.prototype.handler.bind(new Controller())],
    ['a wrapped method', new Proxy(Controller.prototype.handler, {})],
    ['another function', (): void => {}],
  ])('is closed if the handler is not the decorated method: %s (RS-20)', (_, handler) => {
    expect(routeAccess(Controller, handler)).toMatchObject({ opening: 'closed', fault: expect.any(String) });
  });

  it('is closed if its method has two names, because its decorators are then ambiguous (RS-20)', () => {
    class Twice extends Controller {}
    Object.defineProperty(Twice.prototype, 'other', { value: Twice.prototype.handler });
    Public()(Twice);
    expect(routeAccess(Twice, Twice.prototype.handler)).toMatchObject({
      opening: 'closed',
      fault: expect.stringMatching(/two names/),
    });
  });
});

describe('an access decorator', () => {
  it('is rejected if it is added too late to have an effect (RS-20)', () => {
    class Base {
      handler(): void {}
    }
    class Derived extends Base {}
    RequirePermission('p')(Derived);
    const { handler } = Base.prototype;
    expect(routeAccess(Derived, handler).permissions).toEqual(['p']);
    RequirePermission('p')(Derived);
    for (const type of [Base, Derived]) {
      const tooLate = `was added to ${type.name} after`;
      expect(() => {
        RequirePermission('q')(type);
      }).toThrow(tooLate);
      expect(() => {
        RequirePermission('q')(type.prototype, 'handler', { value: handler });
      }).toThrow(tooLate);
    }
  });

  class Controller {
    static make(): void {}
    field = 1;
    handler(): void {}
    get accessor(): number {
      return 1;
    }
  }

  it.each<[string, object, string]>([
    ['a static method', Controller, 'make'],
    ['a property', Controller.prototype, 'field'],
    ['an accessor', Controller.prototype, 'accessor'],
  ])('can not be placed on %s, which never handles a request', (_, target, name) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, name) as PropertyDescriptor;
    expect(() => Public()(target, name, descriptor)).toThrow(TypeError);
  });
});
