import { Controller, Get, Inject, Injectable, Module, Scope, type DynamicModule } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  AllowClients,
  Authenticated,
  KeycloakModule,
  RequireAnyPermission,
  RequirePermission,
  RequireStepUp,
  type ClientCredentials,
  type IssuerOptions,
  type KeycloakModuleOptions,
  type ServiceScopes,
} from '../src/index.js';

export const SECRET = 'S3cret-of-the-planned-modules';

export const SERVER = { address: 'https://sso.example.com' };

const issuerNamed = (realm: string): string => `${SERVER.address}/realms/${realm}`;

@Controller('orders')
class OrdersController {
  @Get()
  @RequirePermission('orders.read')
  read(): string {
    return '';
  }

  @Get('closed')
  closed(): string {
    return '';
  }
}

@Controller('stock')
class StockController {
  @Get()
  @RequirePermission('stock.read')
  @AllowClients('orders', 'warehouse')
  read(): string {
    return '';
  }

  @Get('me')
  @Authenticated()
  me(): string {
    return '';
  }
}

@Controller('refunds')
class RefundsController {
  @Get()
  @RequireAnyPermission('refunds.read', 'refunds.write')
  @RequireStepUp({ acr: ['gold', '2'], maxAgeSeconds: 300 })
  read(): string {
    return '';
  }
}

@Controller('ledger')
class LedgerController {
  @Get()
  @RequirePermission('stock.read')
  read(): string {
    return '';
  }
}

@Controller('reports')
class ReportsController {
  @Get()
  @RequireAnyPermission('reports.read', 'reports.write')
  @AllowClients('web', 'orders')
  read(): string {
    return '';
  }
}

@Controller('status')
class StatusController {
  @Get()
  @Authenticated()
  @AllowClients('web', 'orders')
  read(): string {
    return '';
  }
}

@Module({})
class AppModule {}

interface Called {
  readonly name?: string;
  readonly audience?: string;
  readonly scopes?: ServiceScopes | readonly string[];
}

function moduleOf(
  controllers: NonNullable<DynamicModule['controllers']>,
  options: Partial<KeycloakModuleOptions> & { readonly clientId: string },
  called: readonly Called[] = [],
): DynamicModule {
  const services = called.map((service) => ({
    name: 'inventory',
    audience: 'inventory',
    baseUrl: 'https://inventory.example.com',
    ...service,
  }));
  const keycloak: KeycloakModuleOptions = {
    issuer: issuerNamed('shop'),
    clientSecret: SECRET,
    allowInsecureRequests: true,
    timeoutMs: 500,
    ...options,
  };
  return {
    module: AppModule,
    controllers,
    imports: [KeycloakModule.forRoot(keycloak), ...(called.length === 0 ? [] : [KeycloakModule.forFeature(services)])],
  };
}

export const orders = (): DynamicModule =>
  moduleOf([OrdersController], { clientId: 'orders' }, [{ scopes: { onBehalfOf: ['stock.read'] } }]);

export const inventory = (): DynamicModule => moduleOf([StockController], { clientId: 'inventory' });

export const secondInventory = inventory;

export const ledger = (): DynamicModule => moduleOf([LedgerController], { clientId: 'ledger' });

export const refunds = (): DynamicModule => moduleOf([RefundsController], { clientId: 'refunds' });

export const cron = (): DynamicModule =>
  moduleOf([], { clientId: 'cron' }, [{ scopes: { asService: ['stock.read'] } }]);

export const listed = (): DynamicModule => moduleOf([], { clientId: 'listed' }, [{ scopes: ['stock.read'] }]);

export const misspelt = (): DynamicModule =>
  moduleOf([], { clientId: 'misspelt' }, [{ scopes: { onBehalfOf: ['stock.raed'] } }]);

export const undeclared = (): DynamicModule => moduleOf([], { clientId: 'undeclared' }, [{}]);

export const elsewhere = (): DynamicModule =>
  moduleOf([OrdersController], { clientId: 'elsewhere', issuer: issuerNamed('other') });

export const mapped = (): DynamicModule =>
  moduleOf([OrdersController], { clientId: 'mapped', mapPermissions: () => ['orders.read'] });

export const reports = (): DynamicModule => moduleOf([ReportsController], { clientId: 'reports' });

export const status = (): DynamicModule => moduleOf([StatusController], { clientId: 'status' });

export const reportsAndStatus = (): DynamicModule =>
  moduleOf([ReportsController, StatusController], { clientId: 'reports' });

export const placeholder = (): DynamicModule => moduleOf([], { clientId: '${DB_PASSWORD}' });

export const malformedRealm = (): DynamicModule =>
  moduleOf([], { clientId: 'malformed', issuer: `${SERVER.address}/realms/100%` });

export const lineBreakRealm = (): DynamicModule =>
  moduleOf([], { clientId: 'line-break', issuer: `${SERVER.address}/realms/a%0Ab` });

export const notKeycloak = (): DynamicModule =>
  moduleOf([OrdersController], { clientId: 'not-keycloak', profile: 'rfc9068', issuer: `${SERVER.address}/shop` });

export function twoRealms(): DynamicModule {
  const issuer = (realm: string, others: Partial<IssuerOptions>): IssuerOptions & ClientCredentials => ({
    issuer: issuerNamed(realm),
    clientId: 'two',
    clientSecret: SECRET,
    ...others,
  });
  return {
    module: AppModule,
    controllers: [OrdersController, RefundsController],
    imports: [
      KeycloakModule.forRoot({
        allowInsecureRequests: true,
        issuers: [issuer('shop', {}), issuer('partners', { clientId: 'at-partners', acceptedScopes: ['orders.read'] })],
      }),
    ],
  };
}

@Injectable({ scope: Scope.REQUEST })
class Tenant {
  constructor(@Inject(REQUEST) readonly request: object) {}
}

@Module({ providers: [Tenant], exports: [Tenant] })
class TenantModule {}

export const perRequest = (): DynamicModule => ({
  module: AppModule,
  imports: [
    KeycloakModule.forRoot({
      issuer: issuerNamed('shop'),
      clientId: 'per-request',
      clientSecret: SECRET,
      allowInsecureRequests: true,
    }),
    KeycloakModule.forFeature([
      {
        name: 'inventory',
        imports: [TenantModule],
        inject: [Tenant],
        useFactory: () => ({ baseUrl: 'https://inventory.example.com', audience: 'inventory', scopes: ['stock.read'] }),
      },
    ]),
  ],
});

export const withoutDatabase = (): DynamicModule => ({
  ...orders(),
  providers: [
    {
      provide: 'database',
      useFactory: () => {
        throw new Error('no database');
      },
    },
  ],
});
