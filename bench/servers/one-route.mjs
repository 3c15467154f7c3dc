// Serves one Nest route on Fastify: `bare`, `guarded` (introspection) or `jwt` (signatures).
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
decorateMethod(RouteController, 'answer', Get(), ...(guarded ? [RequirePermission('orders.read')] : []));
decorateClass(RouteController, Controller('route'));

await listen({
  imports: guarded ? [KeycloakModule.forRoot({ ...keycloakOptions(process.env), ...(await verification()) })] : [],
  controllers: [RouteController],
});

/** Imports the entry point for signatures, which older checkouts do not have. */
async function verification() {
  if (kind !== 'jwt') return {};
  const { jwtVerification } = await import('nestjs-keycloak-s2s/jwt');
  return { verification: 'jwt', jwt: jwtVerification() };
}
