// One route of a tiny Nest and Fastify application: `bare`, or `guarded` by ours. Both give the same answer.
import { Controller, Get } from '@nestjs/common';
import { KeycloakModule, RequirePermission } from 'nestjs-keycloak-s2s';
import { decorateClass, decorateMethod, keycloakOptions, listen } from './nest.mjs';

const guarded = process.argv[2] === 'guarded';

class RouteController {
  answer() {
    return { answer: 42 };
  }
}
decorateMethod(RouteController, 'answer', Get(), ...(guarded ? [RequirePermission('orders.read')] : []));
decorateClass(RouteController, Controller('route'));

await listen({
  imports: guarded ? [KeycloakModule.forRoot(keycloakOptions(process.env))] : [],
  controllers: [RouteController],
});
