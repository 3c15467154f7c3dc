import { Controller, HttpCode, NotFoundException, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import { Caller, OptionalToken, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { CookieRequest } from '../login/cookies.js';
import { SessionCaller } from '../login/session-caller.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages } from '../pages/pages.js';
import { AttackPageFilter } from './attack-page.filter.js';
import { attackOf } from './attack-list.js';
import { AttackLab, type AttackReport } from './attack-lab.js';
import { attacksRunPage } from './attacks-page.js';

const PERMISSION = 'attacks.run';

type BrowserRequest = PageRequest & CookieRequest;

export interface AttackReports {
  readonly refused: number;
  readonly of: number;
  readonly reports: readonly AttackReport[];
}

/**
 * Anonymous browsers may also run attacks, since these routes exist only in demo mode. `CsrfGuard` requires that the
 * request comes from a page of this service.
 */
@Controller('attacks')
@OptionalToken()
@RequirePermission(PERMISSION)
@UseFilters(AttackPageFilter)
export class AttacksController {
  constructor(
    private readonly lab: AttackLab,
    private readonly pages: Pages,
    private readonly sessionCaller: SessionCaller,
  ) {}

  @Post()
  @HttpCode(200)
  async runAll(
    @Caller() sent: VerifiedAccessToken | undefined,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<AttackReports | string> {
    await this.#checkSession(sent, request);
    const reports = await this.lab.runAll();
    const refused = reports.filter(({ verdict }) => verdict === 'refused').length;
    return this.#answer({ refused, of: reports.length, reports }, reports, request, reply);
  }

  @Post(':id')
  @HttpCode(200)
  async run(
    @Param('id') id: string,
    @Caller() sent: VerifiedAccessToken | undefined,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<AttackReport | string> {
    await this.#checkSession(sent, request);
    const attack = attackOf(id);
    if (attack === undefined) throw new NotFoundException({ error: 'No such attack', code: 'attack_not_found' });
    const report = await this.lab.run(attack);
    return this.#answer(report, [report], request, reply);
  }

  async #checkSession(sent: VerifiedAccessToken | undefined, request: BrowserRequest): Promise<void> {
    if (sent === undefined) await this.sessionCaller.of(request, PERMISSION);
  }

  #answer<T>(json: T, reports: readonly AttackReport[], request: BrowserRequest, reply: PageReply): T | string {
    reply.header('Vary', 'Accept, Cookie');
    if (!prefersHtml(request)) return json;
    reply.type('text/html; charset=utf-8');
    return this.pages.render(attacksRunPage(reports));
  }
}
