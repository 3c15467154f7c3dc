// A typical hand-written guard: one introspection with axios for each request, without a cache.
import { Agent } from 'node:http';
import { ForbiddenException, UnauthorizedException } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import axios from 'axios';
import { serveGuardedRoute } from './nest.mjs';

const { KEYCLOAK_BASE_URL, KEYCLOAK_ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;

class AxiosGuard {
  http = axios.create({
    baseURL: `${KEYCLOAK_BASE_URL}/realms/microservices/protocol/openid-connect`,
    httpAgent: new Agent({ keepAlive: true }),
    auth: { username: CLIENT_ID, password: CLIENT_SECRET },
    timeout: 3000,
  });

  async canActivate(context) {
    const request = context.switchToHttp().getRequest();
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new UnauthorizedException();
    const { data: claims } = await this.http.post('/token/introspect', new URLSearchParams({ token }));
    if (!claims.active || claims.iss !== KEYCLOAK_ISSUER || ![claims.aud].flat().includes(CLIENT_ID)) {
      throw new UnauthorizedException();
    }
    if (!claims.scope.split(' ').includes('orders.read')) throw new ForbiddenException();
    request.user = claims;
    return true;
  }
}

await serveGuardedRoute({ providers: [{ provide: APP_GUARD, useClass: AxiosGuard }] });
