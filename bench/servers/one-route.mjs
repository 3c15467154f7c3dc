// Serves one Nest route on Fastify: `bare`, `guarded` (introspection) or `jwt` (signatures). `long-lived` serves a
// guarded route, and beside it the same route with `@LongLivedResponse()`.
import { Controller, Get } from '@nestjs/common';
import { KeycloakModule, RequirePermission } from 'nestjs-keycloak-s2s';
import { decorateClass, decorateMethod, keycloakOptions, listen } from './nest.mjs';

const kind = process.argv[2];
const guarded = kind !== 'bare';

class RouteController {
  answer() {
    return { answer: 42 };
  }
}
const marks = guarded ? [RequirePermission('orders.read')] : [];
decorateMethod(RouteController, 'answer', Get(), ...marks);
decorateClass(RouteController, Controller('route'));

await listen({
  imports: guarded ? [KeycloakModule.forRoot({ ...keycloakOptions(process.env), ...(await verification()) })] : [],
  controllers: [RouteController, ...(await longLived())],
});

/** These two functions import entry points that older checkouts do not have. */
async function verification() {
  if (kind !== 'jwt') return {};
  const { jwtVerification } = await import('nestjs-keycloak-s2s/jwt');
  return { verification: 'jwt', jwt: jwtVerification() };
}

async function longLived() {
  if (kind !== 'long-lived') return [];
  const { LongLivedResponse } = await import('nestjs-keycloak-s2s/extension');
  class LongLivedController extends RouteController {
    answer() {
      return { answer: 42 };
    }
  }
  decorateMethod(LongLivedController, 'answer', Get(), ...marks, LongLivedResponse());
  decorateClass(LongLivedController, Controller('long-lived'));
  return [LongLivedController];
}
