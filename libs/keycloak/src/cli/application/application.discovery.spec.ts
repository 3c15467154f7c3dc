import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Injectable, Module, type OnModuleInit, type Type } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AllowClients,
  InjectServiceClient,
  KeycloakModule,
  Public,
  RequirePermission,
  type KeycloakModuleOptions,
  type ServiceClient,
} from '../../index.js';
import { importModule, subjectOf } from './application.discovery.js';
import { enforcementFindings } from '../doctor/enforcement-findings.js';

const OPTIONS: KeycloakModuleOptions = {
  issuer: 'https://sso.example.com/realms/shop',
  clientId: 'orders',
  clientSecret: 'the-password-of-4711',
};
const LEDGER = { name: 'ledger', baseUrl: 'https://ledger.internal', audience: 'ledger', scopes: ['ledger.read'] };

let hooks = 0;

@Controller('orders')
class OrdersController implements OnModuleInit {
  onModuleInit(): void {
    hooks += 1;
  }

  @Get()
  @RequirePermission('orders.read')
  @AllowClients('shop')
  read(): string {
    return '';
  }

  @Get('forgotten')
  forgotten(): string {
    return '';
  }
}

@Injectable()
class LedgerClient {
  constructor(@InjectServiceClient('ledgr') readonly ledger: ServiceClient) {}
}

@Controller()
class StockMessages {
  @MessagePattern('stock.left')
  @RequirePermission('stock.read')
  left(): number {
    return 3;
  }
}

@Resolver('Stock')
class StockResolver {
  @Query('stock')
  @RequirePermission('stock.list')
  stock(): object {
    return {};
  }

  @ResolveField('shelf')
  shelf(): string {
    return '';
  }
}

@WebSocketGateway()
@RequirePermission('stock.watch')
class StockGateway {
  @SubscribeMessage('watch')
  watch(): number {
    return 3;
  }
}

@WebSocketGateway()
class OpenGateway {
  @SubscribeMessage('watch')
  @Public()
  watch(): number {
    return 3;
  }
}

function moduleWith(
  imports: NonNullable<Parameters<typeof Module>[0]['imports']>,
  providers: Type[] = [],
  controllers: Type[] = [OrdersController],
): Type {
  @Module({ imports, controllers, providers })
  class AppModule {}
  return AppModule;
}

describe('a root module that a command reads', () => {
  it('causes a warning if calls are only observed, and an error for each fault that prevents enforcement', async () => {
    @Controller()
    class Undecorated {
      @MessagePattern('open')
      open(): number {
        return 3;
      }
    }
    const observeUntil = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const observing = KeycloakModule.forRoot({ ...OPTIONS, enforcement: 'observe', observeUntil });
    const subject = await subjectOf(moduleWith([observing], [], [OrdersController, Undecorated]));
    if (!('keycloak' in subject)) throw new Error(JSON.stringify(subject));
    expect(enforcementFindings(subject)).toEqual([
      expect.objectContaining({ level: 'warning', message: expect.stringContaining(`until ${observeUntil}`) }),
      expect.objectContaining({ level: 'error', message: expect.stringContaining('Undecorated.open') }),
    ]);
    const enforcing = await subjectOf(moduleWith([KeycloakModule.forRoot(OPTIONS)]));
    if (!('keycloak' in enforcing)) throw new Error(JSON.stringify(enforcing));
    expect(enforcementFindings(enforcing)).toEqual([]);
  });

  it('shows its services, permissions and closed routes before the start (row 21)', async () => {
    const subject = await subjectOf(moduleWith([KeycloakModule.forRoot(OPTIONS), KeycloakModule.forFeature([LEDGER])]));
    if (!('keycloak' in subject)) throw new Error(JSON.stringify(subject));
    expect(subject.keycloak.issuers[0].checkup.services).toMatchObject([
      { name: 'ledger', audience: 'ledger', scopes: { asService: ['ledger.read'], onBehalfOf: ['ledger.read'] } },
    ]);
    expect(subject.handlers).toMatchObject([
      { label: 'OrdersController.read (GET)', isClosed: false, permissions: ['orders.read'], clients: ['shop'] },
      { label: 'OrdersController.forgotten (GET)', isClosed: true },
    ]);
    expect(hooks).toBe(0);
  });

  it('may come from a function, whose errors are reported (OP-02)', async () => {
    const subject = await subjectOf(async () => moduleWith([KeycloakModule.forRoot(OPTIONS)]));
    if (!('keycloak' in subject)) throw new Error(JSON.stringify(subject));
    expect(subject.keycloak.issuers[0].checkup.options.clientId).toBe('orders');
    expect(await subjectOf((() => 4711) as never)).toMatchObject([
      { check: 'module', message: 'The function does not return a module.' },
    ]);
    const faulty = (): Type => moduleWith([KeycloakModule.forRoot({ ...OPTIONS, clientId: '' })]);
    expect(await subjectOf(faulty)).toMatchObject([{ check: 'settings', level: 'error' }]);
  });

  it('reports the required permissions of message handlers, operations and gateways', async () => {
    const subject = await subjectOf(
      moduleWith([KeycloakModule.forRoot(OPTIONS)], [StockResolver, StockGateway], [StockMessages]),
    );
    if (!('keycloak' in subject)) throw new Error(JSON.stringify(subject));
    expect(subject.handlers).toMatchObject([
      { label: 'StockMessages.left (message handler)', permissions: ['stock.read'] },
      { label: 'StockResolver.stock (GraphQL query)', permissions: ['stock.list'] },
      { label: 'StockGateway (connections)', permissions: ['stock.watch'] },
      { label: 'StockGateway.watch (message handler of a gateway)', permissions: ['stock.watch'] },
    ]);
  });

  it('causes a note about a service with unknown options, which Nest creates per request', async () => {
    const perRequest = { name: 'ledger', inject: [REQUEST], useFactory: () => LEDGER };
    const subject = await subjectOf(
      moduleWith([KeycloakModule.forRoot(OPTIONS), KeycloakModule.forFeature([perRequest])]),
    );
    expect(subject).toMatchObject({ notSeen: ['ledger'] });
  });

  it('is reported as an error if one of its gateways has no decorator on its class', async () => {
    const findings = await subjectOf(moduleWith([KeycloakModule.forRoot(OPTIONS)], [OpenGateway]));
    expect(findings).toMatchObject([
      { check: 'module', message: expect.stringContaining('The gateway OpenGateway needs a decorator on its class') },
    ]);
  });

  it.each<[string, () => Type, string, RegExp]>([
    [
      'without KeycloakModule (row 22)',
      () => moduleWith([]),
      'module',
      /No module of the application imports KeycloakModule\.forRoot/,
    ],
    [
      'with forFeature but without forRoot (row 23)',
      () => moduleWith([KeycloakModule.forFeature([LEDGER])]),
      'module',
      /without KeycloakModule\.forRoot/,
    ],
    [
      'with a misspelt name of a service (row 23)',
      () => moduleWith([KeycloakModule.forRoot(OPTIONS), KeycloakModule.forFeature([LEDGER])], [LedgerClient]),
      'module',
      /no service is registered under the injected name.*ledgr/,
    ],
    [
      'with faulty options (rows 5, 8)',
      () => moduleWith([KeycloakModule.forRoot({ ...OPTIONS, issuer: 'http://sso.example.com/realms/shop' })]),
      'settings',
      /issuer must be https:/,
    ],
    [
      'that throws',
      () =>
        moduleWith([
          {
            module: LedgerClient,
            providers: [
              {
                provide: 'x',
                useFactory: () => {
                  throw new Error('no database\nsecond line');
                },
              },
            ],
          },
        ]),
      'module',
      /^Nest can't create the module: no database$/,
    ],
  ])('%s is reported as an error', async (_, module, check, message) => {
    expect(await subjectOf(module())).toMatchObject([
      {
        check,
        level: 'error',
        message: expect.stringMatching(message) as unknown,
        cure: expect.any(String) as unknown,
      },
    ]);
  });
});

describe('the file of a root module', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'module-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('may export several modules by name, a single module, or a function', async () => {
    const two = file('two.mjs', 'class M {} export const A = { module: M }; export const B = { module: M };');
    expect(await importModule(`${two}#B`)).toMatchObject({ module: expect.any(Function) as unknown });
    await expect(importModule(two)).rejects.toThrow('exports several modules: choose');
    await expect(importModule(`${two}#C`)).rejects.toThrow('exports no module or function with the name C');
    const one = file('one.cjs', 'class M {} exports.A = { module: M }; exports.other = 1;');
    expect(await importModule(one)).toMatchObject({ module: expect.any(Function) as unknown });
    const made = file('made.mjs', 'export const root = () => 1;');
    expect(await importModule(`${made}#root`)).toEqual(expect.any(Function));
    await expect(importModule(made)).rejects.toThrow('exports no module');
    const none = file('none.mjs', 'export const a = {}; export default class {}');
    await expect(importModule(none)).rejects.toThrow('exports no module');
  });
});
