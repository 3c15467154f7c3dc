import { describe, expect, it } from '@jest/globals';
import { AllowClients, Authenticated, OptionalToken, Public, RequirePermission } from './access.decorators.js';
import { contradiction, routeAccess, type RouteAccess } from './route-access.js';

type Decorator = ClassDecorator & MethodDecorator;

/** The access of a handler with these decorators, in a controller with those. */
function accessOf(ofHandler: readonly Decorator[], ofClass: readonly Decorator[] = []): RouteAccess {
  class Controller {
    handler(): void {}
  }
  const descriptor = Object.getOwnPropertyDescriptor(Controller.prototype, 'handler') as PropertyDescriptor;
  for (const decorate of ofHandler) decorate(Controller.prototype, 'handler', descriptor);
  for (const decorate of ofClass) decorate(Controller);
  return routeAccess(Controller, descriptor.value as object);
}

describe('routeAccess', () => {
  it.each<[string, readonly Decorator[], readonly Decorator[], Partial<RouteAccess>]>([
    ['nothing', [], [], { opening: 'closed', permissions: [], clients: [] }],
    ['@AllowClients alone', [AllowClients('a')], [], { opening: 'closed', clients: ['a'] }],
    ['@AllowClients alone, on the class', [], [AllowClients('a')], { opening: 'closed' }],
    ['@Public', [Public()], [], { opening: 'public' }],
    ['@OptionalToken', [OptionalToken()], [], { opening: 'optional' }],
    ['@Authenticated', [Authenticated()], [], { opening: 'authenticated', permissions: [] }],
    ['@RequirePermission', [RequirePermission('p', 'q')], [], { opening: 'authenticated', permissions: ['p', 'q'] }],
    ['@Authenticated with clients', [Authenticated(), AllowClients('a', 'b')], [], { clients: ['a', 'b'] }],
    [
      '@OptionalToken with a permission',
      [OptionalToken(), RequirePermission('p')],
      [],
      { opening: 'optional', permissions: ['p'] },
    ],
  ])('%s (RS-20)', (_, ofHandler, ofClass, expected) => {
    expect(accessOf(ofHandler, ofClass)).toMatchObject(expected);
  });

  it.each<[string, readonly Decorator[], readonly Decorator[], Partial<RouteAccess>]>([
    ['the class speaks for a handler that says nothing', [], [RequirePermission('p')], { permissions: ['p'] }],
    ['a permission over @Public', [RequirePermission('p')], [Public()], { opening: 'authenticated' }],
    ['@Public over a permission', [Public()], [RequirePermission('p')], { opening: 'public', permissions: [] }],
    ['@Authenticated over a permission', [Authenticated()], [RequirePermission('p')], { permissions: [] }],
    ['one permission over another', [RequirePermission('q')], [RequirePermission('p')], { permissions: ['q'] }],
    ['clients stay beside an opening', [Authenticated()], [AllowClients('a')], { clients: ['a'] }],
    ['clients over clients', [AllowClients('b')], [Authenticated(), AllowClients('a')], { clients: ['b'] }],
  ])('of the handler replaces that of the class: %s', (_, ofHandler, ofClass, expected) => {
    expect(accessOf(ofHandler, ofClass)).toMatchObject(expected);
  });
});

describe('contradiction', () => {
  it.each<[string, readonly Decorator[], RegExp]>([
    ['a permission', [Public(), RequirePermission('p')], /@Public\(\).*@RequirePermission\(\)/],
    ['clients', [Public(), AllowClients('a')], /@Public\(\).*@AllowClients\(\)/],
  ])('is @Public with %s', (_, decorators, message) => {
    expect(contradiction(accessOf(decorators))).toMatch(message);
  });

  it('is none otherwise', () => {
    for (const decorators of [[], [Public()], [OptionalToken(), RequirePermission('p'), AllowClients('a')]]) {
      expect(contradiction(accessOf(decorators))).toBeUndefined();
    }
  });
});

describe('@RequirePermission', () => {
  it.each(['', 'a b', 'a"b', 'a\nb'])('refuses %j, which no token could ever hold', (permission) => {
    expect(() => RequirePermission(permission)).toThrow(TypeError);
    expect(() => RequirePermission('good', permission)).toThrow(TypeError);
  });
});

describe('decorators on one target', () => {
  it('demand the permissions of both @RequirePermission (RS-20)', () => {
    expect(accessOf([RequirePermission('q'), RequirePermission('p')]).permissions).toEqual(['p', 'q']);
  });

  it.each<[string, readonly Decorator[]]>([
    ['@Public with @Authenticated', [Public(), Authenticated()]],
    ['@Authenticated with @Public', [Authenticated(), Public()]],
    ['@OptionalToken with @Authenticated', [OptionalToken(), Authenticated()]],
    ['@AllowClients twice', [AllowClients('a'), AllowClients('b')]],
  ])('%s are a programming error, whatever their order', (_, decorators) => {
    expect(() => accessOf(decorators)).toThrow(TypeError);
    expect(() => accessOf([], decorators)).toThrow(TypeError);
  });
});

describe('a derived controller', () => {
  const handler = (): void => {};

  it.each<[string, Decorator]>([
    ['@Public', Public()],
    ['@OptionalToken', OptionalToken()],
    ['@RequirePermission', RequirePermission('p')],
  ])('is closed under a base class with %s, until it says something itself (RS-20)', (_, decorate) => {
    class Base {
      base(): void {}
    }
    decorate(Base);
    class Silent extends Base {}
    class Derived extends Base {}
    RequirePermission('admin.only')(Derived);
    expect(routeAccess(Silent, handler).opening).toBe('closed');
    expect(routeAccess(Derived, handler)).toMatchObject({ opening: 'authenticated', permissions: ['admin.only'] });
  });
});
