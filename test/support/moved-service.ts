import {
  Controller,
  Get,
  Injectable,
  Module,
  Optional,
  Inject,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose';
import {
  Caller,
  KeycloakModule,
  KeycloakStatus,
  Public,
  RequirePermission,
  type KeycloakModuleOptions,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';

export type OwnGuardKind = 'global' | 'middleware' | 'controller';

export type Decorated = 'own' | 'incomplete' | 'complete';

export interface MovedService {
  readonly name: string;
  readonly permission: string;
  readonly guard: OwnGuardKind;
  readonly issuer: string;
}

interface Request {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly url: string;
}

class OwnVerification {
  readonly #keys: JWTVerifyGetKey;

  constructor(private readonly issuer: string) {
    this.#keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`));
  }

  async accepts({ headers, url }: Request): Promise<boolean> {
    if (url.startsWith('/status')) return true;
    const text = headers['authorization']?.replace(/^Bearer /, '') ?? '';
    return jwtVerify(text, this.#keys, { issuer: this.issuer }).then(
      () => true,
      () => false,
    );
  }
}

function ownGuardOf(verification: OwnVerification): Type<CanActivate> {
  @Injectable()
  class OwnGuard implements CanActivate {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      if (await verification.accepts(context.switchToHttp().getRequest())) return true;
      throw new UnauthorizedException();
    }
  }
  return OwnGuard;
}

function controllerOf({ permission, guard }: MovedService, decorated: Decorated, OwnGuard: Type<CanActivate>): Type {
  @Controller()
  class OrdersController {
    constructor(@Optional() @Inject(KeycloakStatus) private readonly keycloak?: KeycloakStatus) {}

    @Get('orders/:id')
    orders(caller?: VerifiedAccessToken): object {
      return { caller: caller?.subject ?? null };
    }

    @Get('report')
    report(): object {
      return { caller: null };
    }

    @Get('status')
    status(): object {
      return { enforcement: this.keycloak?.read().enforcement };
    }
  }
  const decorate = (method: 'orders' | 'report' | 'status', decorator: MethodDecorator): void =>
    void decorator(
      OrdersController.prototype,
      method,
      Object.getOwnPropertyDescriptor(OrdersController.prototype, method)!,
    );
  if (decorated !== 'own') {
    Caller()(OrdersController.prototype, 'orders', 0);
    decorate('orders', RequirePermission(permission));
    decorate('status', Public());
  }
  if (decorated === 'complete') decorate('report', RequirePermission(permission));
  if (guard === 'controller') UseGuards(OwnGuard)(OrdersController);
  return OrdersController;
}

export async function startMoved(
  service: MovedService,
  decorated: Decorated,
  keycloak?: KeycloakModuleOptions,
): Promise<INestApplication> {
  const verification = new OwnVerification(service.issuer);
  const OwnGuard = ownGuardOf(verification);
  @Module({
    imports: keycloak === undefined ? [] : [KeycloakModule.forRoot(keycloak)],
    controllers: [controllerOf(service, decorated, OwnGuard)],
    providers: [OwnGuard, ...(service.guard === 'global' ? [{ provide: APP_GUARD, useClass: OwnGuard }] : [])],
  })
  class AppModule {}
  const adapter = service.guard === 'controller' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: false, abortOnError: false });
  if (service.guard === 'middleware') {
    app.use(async (request: Request, response: { sendStatus(code: number): void }, next: () => void) => {
      const isAccepted = await verification.accepts(request);
      if (isAccepted) next();
      else response.sendStatus(401);
    });
  }
  await app.listen(0, '127.0.0.1');
  return app;
}
