import {
  Controller,
  Get,
  HttpStatus,
  Inject,
  Logger,
  Post,
  Query,
  Redirect,
  Req,
  Res,
  UseFilters,
} from '@nestjs/common';
import { AuthorizationServerHealth, Public, KeycloakException } from 'nestjs-keycloak-s2s';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import type { PageReply, PageRequest } from '../pages/negotiation.js';
import { Cookies, type CookieRequest } from './cookies.js';
import { LoginError } from './login-error.js';
import { LoginPageFilter } from './login-page.filter.js';
import { LogoutPageFilter } from './logout-page.filter.js';
import { demoUserWanted } from './demo-users.js';
import { OpenIdProvider, type WantedLogin } from './openid-provider.js';
import { PendingLogins } from './pending-logins.js';
import { returnTo } from './return-to.js';
import { demandIn } from './step-up.js';
import { StepUps } from './step-ups.js';
import type { UserSession } from './user-session.js';
import { UserSessions } from './user-sessions.js';

type BrowserRequest = CookieRequest & PageRequest & { readonly url: string };

interface Redirection {
  readonly url: string;
  readonly statusCode: number;
}

@Controller('auth')
@Public()
@UseFilters(LoginPageFilter)
export class LoginController {
  readonly #logger = new Logger('Login');

  constructor(
    private readonly provider: OpenIdProvider,
    private readonly pending: PendingLogins,
    private readonly sessions: UserSessions,
    private readonly cookies: Cookies,
    private readonly stepUps: StepUps,
    private readonly health: AuthorizationServerHealth,
    @Inject(serviceAConfig.KEY) private readonly config: ServiceAConfig,
  ) {}

  /**
   * In demo mode, `as` prefills the user name in Keycloak's form. `acr_values` and `max_age` of an RFC 9470 challenge
   * make the session's user log in again.
   */
  @Get('login')
  @Redirect()
  async login(
    @Query('return_to') asked: unknown,
    @Query('as') as: unknown,
    @Query('acr_values') acrValues: unknown,
    @Query('max_age') maxAge: unknown,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<Redirection> {
    const demand = demandIn({ acrValues, maxAge }, this.config.login.acrValues);
    const server = await this.health.check();
    if (!server.reachable) throw server.error;
    if (demand !== undefined) {
      const { confirms, loginHint } = await this.stepUps.userOf(request);
      return this.#begin({ returnTo: returnTo(asked), demand, confirms }, request, reply, loginHint);
    }
    const user = this.config.demoMode ? demoUserWanted(as, request.headers) : undefined;
    return this.#begin({ returnTo: returnTo(asked), as: user }, request, reply);
  }

  @Get('callback')
  @Redirect()
  async callback(
    @Query('state') state: unknown,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<Redirection> {
    const login = await this.pending.consume(request, state);
    setCookies(reply, [this.pending.clearCookie(login.state)]);
    const loggedIn = await this.provider.complete(queryOf(request.url), login);
    const { returnTo: path, as, isSecond } = login;
    if (as !== undefined && as !== loggedIn.username && isSecond !== true) {
      // Keycloak shows a login form after this request has ended the other user's session.
      const { subject: sub, sessionId: sid } = loggedIn;
      this.#logger.log({ message: 'Ended the session of another user', audit: 'logout', sub, sid });
      await this.#endAtKeycloak(loggedIn);
      const former = this.cookies.sessionId(request);
      if (former !== undefined) await this.sessions.end(former);
      return this.#begin({ returnTo: path, as, isSecond: true }, request, reply);
    }
    const isStepUp = login.demand !== undefined;
    if (isStepUp) await this.stepUps.check(login, loggedIn, request);
    const former = this.cookies.sessionId(request);
    const id = await this.sessions.begin(loggedIn, isStepUp);
    const { subject: sub, sessionId: sid } = loggedIn;
    this.#logger.log({ message: 'Logged in', audit: isStepUp ? 'step_up' : 'login', sub, sid });
    if (former !== undefined) await this.sessions.end(former);
    setCookies(reply, [this.cookies.setSession(id)]);
    return to(path);
  }

  /**
   * A browser with an unknown session is redirected to Keycloak too, since another instance may hold the session. After
   * the redirect, Keycloak asks the user for confirmation, and notifies the instance that holds the session.
   */
  @Post('logout')
  @UseFilters(LogoutPageFilter)
  @Redirect()
  async logout(@Req() request: BrowserRequest, @Res({ passthrough: true }) reply: PageReply): Promise<Redirection> {
    const id = this.cookies.sessionId(request);
    if (id === undefined) return to('/');
    const session = await this.sessions.find(id);
    await this.sessions.end(id);
    setCookies(reply, [this.cookies.clearSession()]);
    if (session !== undefined) {
      this.#logger.log({ message: 'Logged out', audit: 'logout', sub: session.subject, sid: session.sessionId });
      await this.#endAtKeycloak(session);
    }
    const server = await this.health.check();
    if (!server.reachable) throw server.error;
    return to(await this.provider.logoutUrl());
  }

  async #begin(
    wanted: WantedLogin,
    request: BrowserRequest,
    reply: PageReply,
    loginHint?: string,
  ): Promise<Redirection> {
    const { pending, url } = await this.provider.begin(wanted, loginHint);
    setCookies(reply, await this.pending.remember(request, pending));
    return to(url);
  }

  /** Logs a failure instead of throwing, since Keycloak asks the user to confirm the logout after a failure. */
  async #endAtKeycloak({ tokens }: Pick<UserSession, 'tokens'>): Promise<void> {
    try {
      await this.provider.endSession(tokens);
    } catch (error) {
      const reason = error instanceof LoginError || error instanceof KeycloakException ? error.reason : 'other';
      this.#logger.error('Logout at Keycloak failed. The session at Keycloak may continue', { reason });
    }
  }
}

function to(url: string): Redirection {
  return { url, statusCode: HttpStatus.SEE_OTHER };
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

/** Fastify keeps the `Set-Cookie` headers that were set before. */
function setCookies(reply: PageReply, cookies: readonly string[]): void {
  for (const cookie of cookies) reply.header('Set-Cookie', cookie);
}
