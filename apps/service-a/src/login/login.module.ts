import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { PagesModule } from '../pages/pages.module.js';
import { Cookies } from './cookies.js';
import { CrossSitePage } from './cross-site-page.js';
import { CsrfGuard } from './csrf.guard.js';
import { LoginController } from './login.controller.js';
import { OpenIdConfiguration } from './openid-configuration.js';
import { OpenIdProvider } from './openid-provider.js';
import { OpenIdTransport } from './openid-transport.js';
import { PendingLogins } from './pending-logins.js';
import { SessionCaller } from './session-caller.js';
import { SESSION_STORE, sessionStoreOf } from './session-store.provider.js';
import type { SessionStore } from './session-store.js';
import { SessionsUnavailablePage } from './sessions-unavailable-page.js';
import { StepUps } from './step-ups.js';
import { StepUpRedirects } from './step-up-redirects.js';
import { UserSessions } from './user-sessions.js';

@Module({
  imports: [PagesModule],
  controllers: [LoginController],
  providers: [
    Cookies,
    CrossSitePage,
    OpenIdConfiguration,
    OpenIdProvider,
    OpenIdTransport,
    PendingLogins,
    SessionCaller,
    SessionsUnavailablePage,
    StepUps,
    StepUpRedirects,
    { provide: SESSION_STORE, inject: [serviceAConfig.KEY], useFactory: sessionStoreOf },
    {
      provide: UserSessions,
      inject: [SESSION_STORE, OpenIdProvider, serviceAConfig.KEY],
      useFactory: (store: SessionStore, provider: OpenIdProvider, { login }: ServiceAConfig) =>
        new UserSessions(store, provider, login),
    },
    { provide: APP_GUARD, useClass: CsrfGuard },
  ],
  exports: [Cookies, SessionCaller, StepUpRedirects, UserSessions],
})
export class LoginModule {}
