import { describe, expect, it } from '@jest/globals';
import {
  AllowClients,
  Authenticated,
  OptionalToken,
  RequireStepUp,
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

describe('the access report at boot', () => {
  it.each<[string, readonly RouteDecorator[]]>([
    ["@RequireStepUp({ acr: 'gold' })", [RequireStepUp({ acr: 'gold' })]],
    ['@RequireStepUp({ maxAgeSeconds: 0 })', [Authenticated(), RequireStepUp({ maxAgeSeconds: 0 })]],
    [
      "@RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 300 })",
      [RequireStepUp({ acr: ['gold', 'silver'], maxAgeSeconds: 300 })],
    ],
    ["@OptionalToken() @RequireStepUp({ acr: 'gold' })", [OptionalToken(), RequireStepUp({ acr: 'gold' })]],
    [
      "@RequirePermission('p') @AllowClients('a') @RequireStepUp({ maxAgeSeconds: 300 })",
      [RequireStepUp({ maxAgeSeconds: 300 }), AllowClients('a'), RequirePermission('p')],
    ],
  ])('describes %s', (words, decorators) => {
    expect(described(...decorators)).toBe(words);
  });
});
