import { describe, expect, it } from '@jest/globals';
import {
  AllowClients,
  Authenticated,
  OptionalToken,
  RequireAuthentication,
  RequirePermission,
  type RouteDecorator,
} from './access.decorators.js';
import { describeAccess } from './access-description.js';
import { routeAccess } from './route-access.js';

function described(...decorators: readonly RouteDecorator[]): string {
  class Controller {
    handler(): void {}
  }
  for (const decorate of decorators) decorate(Controller);
  return describeAccess(routeAccess(Controller, Controller.prototype.handler), 'introspection');
}

describe('the report at boot', () => {
  it.each<[string, readonly RouteDecorator[]]>([
    ["@RequireAuthentication({ acr: 'gold' })", [RequireAuthentication({ acr: 'gold' })]],
    ['@RequireAuthentication({ maxAgeSeconds: 0 })', [Authenticated(), RequireAuthentication({ maxAgeSeconds: 0 })]],
    [
      "@RequireAuthentication({ acr: ['gold', 'silver'], maxAgeSeconds: 300 })",
      [RequireAuthentication({ acr: ['gold', 'silver'], maxAgeSeconds: 300 })],
    ],
    [
      "@OptionalToken() @RequireAuthentication({ acr: 'gold' })",
      [OptionalToken(), RequireAuthentication({ acr: 'gold' })],
    ],
    [
      "@RequirePermission('p') @AllowClients('a') @RequireAuthentication({ maxAgeSeconds: 300 })",
      [RequireAuthentication({ maxAgeSeconds: 300 }), AllowClients('a'), RequirePermission('p')],
    ],
  ])('says %s', (words, decorators) => {
    expect(described(...decorators)).toBe(words);
  });
});
