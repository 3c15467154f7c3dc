/** Matrix: shows each token of the chain to each service, and answers with what they opened. */
import { Controller, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import { AccessToken, OptionalToken, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { CookieRequest } from '../login/cookies.js';
import { SessionCaller } from '../login/session-caller.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages } from '../pages/pages.js';
import { AttackPageFilter } from './attack-page.filter.js';
import { matrixPage } from './matrix-page.js';
import { TokenMatrix, type MatrixRow } from './token-matrix.js';

const PERMISSION = 'attacks.run';

/** As for the attacks: a caller with a token or a session needs attacks.run; an anonymous browser on a page of ours does not. */
@Controller('matrix')
@OptionalToken()
@RequirePermission(PERMISSION)
@UseFilters(AttackPageFilter)
export class MatrixController {
  constructor(
    private readonly matrix: TokenMatrix,
    private readonly pages: Pages,
    private readonly sessionCaller: SessionCaller,
  ) {}

  @Post()
  @HttpCode(200)
  async run(
    @AccessToken() sent: VerifiedAccessToken | undefined,
    @Req() request: PageRequest & CookieRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<{ readonly rows: readonly MatrixRow[] } | string> {
    // A token takes precedence over a session. The guard has already checked it.
    if (sent === undefined) await this.sessionCaller.of(request, PERMISSION);
    const rows = await this.matrix.run();
    reply.header('Vary', 'Accept, Cookie');
    if (!prefersHtml(request)) return { rows };
    reply.type('text/html; charset=utf-8');
    return this.pages.render(matrixPage(rows));
  }
}
