import type { IncomingHttpHeaders } from 'node:http';
import { Body, Controller, HttpCode, HttpException, Post, Req, Res, UseFilters } from '@nestjs/common';
import { Caller, OptionalToken, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { CookieRequest } from '../login/cookies.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages, type Page } from '../pages/pages.js';
import { MatrixCallers } from './matrix-callers.js';
import { matrixPage, notShownPage, shownAgainPage } from './matrix-page.js';
import { MatrixPageFilter } from './matrix-page.filter.js';
import { ShowAgainDto } from './show-again.dto.js';
import { TokenMatrix, type MatrixRow, type ShownAgain } from './token-matrix.js';

const PERMISSION = 'attacks.run';

const PASS_ON = 'pass_on';

type BrowserRequest = PageRequest & CookieRequest & { readonly headers: IncomingHttpHeaders };

/** An anonymous browser on our page needs no permission. */
@Controller('matrix')
@OptionalToken()
@RequirePermission(PERMISSION)
@UseFilters(MatrixPageFilter)
export class MatrixController {
  constructor(
    private readonly matrix: TokenMatrix,
    private readonly pages: Pages,
    private readonly callers: MatrixCallers,
  ) {}

  @Post()
  @HttpCode(200)
  async run(
    @Caller() sent: VerifiedAccessToken | undefined,
    @Body() body: unknown,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<{ readonly rows: readonly MatrixRow[] } | string> {
    const { viewer, token } = await this.callers.of(sent, request, PERMISSION);
    const rows = await (PASS_ON in Object(body) ? this.matrix.passedOn() : this.matrix.exchanged(token));
    return wantsPage(request, reply) ? this.#render(matrixPage(rows, viewer), reply) : { rows };
  }

  @Post('again')
  @HttpCode(200)
  async again(
    @Caller() sent: VerifiedAccessToken | undefined,
    @Body() { id, service }: ShowAgainDto,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<Pick<ShownAgain, 'cell'> | string> {
    const { viewer } = await this.callers.of(sent, request, PERMISSION);
    const shown = await this.matrix.showAgain(id, service);
    if (shown === undefined) {
      const error = 'This service did not show the token, or the other service does not exist.';
      return this.#notShown(404, { error, code: 'token_not_found' }, request, reply);
    }
    if ('notRun' in shown) return this.#notShown(503, { error: shown.notRun, code: 'not_run' }, request, reply);
    return wantsPage(request, reply) ? this.#render(shownAgainPage(shown, viewer), reply) : { cell: shown.cell };
  }

  #notShown(
    status: number,
    body: { readonly error: string; readonly code: string },
    request: BrowserRequest,
    reply: PageReply,
  ): string {
    if (!wantsPage(request, reply)) throw new HttpException(body, status);
    return this.#render(notShownPage(body.error), reply.code(status));
  }

  #render(page: Page, reply: PageReply): string {
    reply.type('text/html; charset=utf-8');
    return this.pages.render(page);
  }
}

function wantsPage(request: PageRequest, reply: PageReply): boolean {
  reply.header('Vary', 'Accept, Cookie');
  return prefersHtml(request);
}
