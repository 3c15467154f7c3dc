import { Controller, Get, Inject, Req, Res, UseFilters } from '@nestjs/common';
import { Public } from 'nestjs-keycloak-s2s';
import { securityHeaders } from 'service-defaults';
import { ATTACKS } from '../attacks/attack-list.js';
import { untried } from '../matrix/matrix-page.js';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { Cookies, type CookieRequest } from '../login/cookies.js';
import { DEMO_USERS } from '../login/demo-users.js';
import { SessionCaller } from '../login/session-caller.js';
import type { PageReply } from '../pages/negotiation.js';
import { Pages } from '../pages/pages.js';
import { HomePageFilter } from './home-page.filter.js';
import { homePage } from './home-page.js';

const CSP = 'content-security-policy';

@Controller()
@UseFilters(HomePageFilter)
export class HomeController {
  readonly #policy = securityHeaders({ scripts: true })[CSP] ?? '';
  readonly #policyWithLogout: string;

  constructor(
    @Inject(serviceAConfig.KEY) private readonly config: ServiceAConfig,
    private readonly pages: Pages,
    private readonly sessionCaller: SessionCaller,
    private readonly cookies: Cookies,
  ) {
    const formTargets = [new URL(config.keycloak.issuer).origin];
    this.#policyWithLogout = securityHeaders({ formTargets, scripts: true })[CSP] ?? '';
  }

  @Get()
  @Public()
  async home(@Req() request: CookieRequest, @Res({ passthrough: true }) reply: PageReply): Promise<string> {
    const id = this.cookies.sessionId(request);
    const session = await this.sessionCaller.confirmedSession(request);
    reply.type('text/html; charset=utf-8').header('Vary', 'Cookie');
    reply.header(CSP, id === undefined ? this.#policy : this.#policyWithLogout);
    const user = session === undefined ? undefined : { name: session.username, csrfToken: session.csrfToken };
    const { demoMode } = this.config;
    const attacks = demoMode ? ATTACKS : [];
    const hasUnknownSession = id !== undefined && session === undefined;
    const users = demoMode ? DEMO_USERS : [];
    const matrix = demoMode ? untried(user) : undefined;
    // Without cached results, a watched page would introspect tokens several times a second.
    const isWatched = demoMode && this.config.keycloak.introspectionTtlSeconds !== 0;
    return this.pages.render(homePage({ demoMode, user, users, hasUnknownSession, attacks, matrix, isWatched }));
  }
}
