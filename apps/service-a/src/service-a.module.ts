import { Module, type DynamicModule } from '@nestjs/common';
import { ServiceHttpModule } from 'nestjs-keycloak-s2s/axios';
import { BackchannelLogoutModule, RevocationEventsModule } from 'nestjs-keycloak-s2s/signals';
import { serviceModules, type ServiceSettings } from 'service-defaults';
import { ChainController } from './chain/chain.controller.js';
import { ChainTokens } from './chain/chain-tokens.js';
import { serviceAConfig, type ServiceAConfig } from './config.js';
import { DemoModule } from './demo/demo.module.js';
import { HomeController } from './home/home.controller.js';
import { CsrfExempt } from './login/csrf.guard.js';
import { LoginModule } from './login/login.module.js';
import { UserSessions } from './login/user-sessions.js';
import { OrdersController } from './orders/orders.controller.js';
import { OrdersService } from './orders/orders.service.js';
import { PagesModule } from './pages/pages.module.js';
import { ProcessingClient } from './processing.client.js';
import { ReceiptsClient } from './receipts.client.js';
import { ReceiptsController } from './receipts/receipts.controller.js';
import { RefundsController } from './refunds/refunds.controller.js';

@Module({
  imports: [
    ...serviceModules(serviceAConfig),
    // #region http
    ServiceHttpModule.registerAsync([
      {
        name: 'service-b',
        inject: [serviceAConfig.KEY],
        useFactory: ({ urls, servicesTls }: ServiceAConfig) => ({
          baseURL: urls['service-b'],
          audience: 'service-b',
          tls: servicesTls,
          scopes: { onBehalfOf: ['receipts.read'] },
        }),
      },
    ]),
    // #endregion http
    PagesModule,
    LoginModule,
    // #region backchannel-logout
    BackchannelLogoutModule.forRootAsync({
      path: 'auth/backchannel-logout',
      // Keycloak sends this request, not a browser, and a signed token proves the sender.
      decorators: [CsrfExempt()],
      imports: [LoginModule],
      inject: [UserSessions, serviceAConfig.KEY],
      useFactory: (sessions: UserSessions, { keycloak }: ServiceAConfig) => ({
        // Users log in at the service's own realm, so a `sub` of another issuer is not a user of this service.
        ended: async ({ issuer, sessionId, subject, issuedAt }) => {
          if (issuer === keycloak.issuer) await sessions.endAtKeycloak({ sessionId, subject }, issuedAt);
        },
        unverified: async () => sessions.recheckAll(),
      }),
    }),
    // #endregion backchannel-logout
  ],
  controllers: [HomeController, ChainController, OrdersController, ReceiptsController, RefundsController],
  providers: [OrdersService, ProcessingClient, ReceiptsClient, ChainTokens],
})
export class ServiceAModule {
  static register({ demoMode, signals }: Pick<ServiceSettings<string>, 'demoMode' | 'signals'>): DynamicModule {
    const feed = signals === undefined ? [] : [RevocationEventsModule.forRoot(signals)];
    return { module: ServiceAModule, imports: [...feed, ...(demoMode ? [DemoModule] : [])] };
  }
}

/** Returns the module that main.ts starts, so that `doctor` examines the same module. */
export const root = (): DynamicModule => ServiceAModule.register(serviceAConfig());
