/** Matrix: shows stolen tokens to each service, and answers with what they opened. */
import type { IncomingHttpHeaders } from 'node:http';
import {
  Body,
  Controller,
  HttpCode,
  NotFoundException,
  Post,
  Req,
  Res,
  ServiceUnavailableException,
  UseFilters,
} from '@nestjs/common';
import { AccessToken, OptionalToken, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { AttackPageFilter } from '../attacks/attack-page.filter.js';
import type { CookieRequest } from '../login/cookies.js';
import { SessionCaller } from '../login/session-caller.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages, type Page } from '../pages/pages.js';
import { matrixPage, shownAgainPage } from './matrix-page.js';
import { ShowAgainDto } from './show-again.dto.js';
import { TokenMatrix, type MatrixRow, type ShownAgain } from './token-matrix.js';

const PERMISSION = 'attacks.run';

/** The form's switch: one token for all, as when it is passed on. */
const PASS_ON = 'pass_on';

type BrowserRequest = PageRequest & CookieRequest & { readonly headers: IncomingHttpHeaders };

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

  /** With `pass_on` in the body, whatever its value, one token that names all three services is shown instead. */
  @Post()
  @HttpCode(200)
  async run(
    @AccessToken() sent: VerifiedAccessToken | undefined,
    @Body() body: unknown,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<{ readonly rows: readonly MatrixRow[] } | string> {
    const session = await this.#session(sent, request);
    const yours = sent === undefined ? session?.accessToken : bearerOf(request.headers);
    const rows = await (PASS_ON in Object(body) ? this.matrix.passedOn() : this.matrix.exchanged(yours));
    return this.#answer({ rows }, matrixPage(rows, session), request, reply);
  }

  /** Once more, for instance after the token has ended. */
  @Post('again')
  @HttpCode(200)
  async again(
    @AccessToken() sent: VerifiedAccessToken | undefined,
    @Body() { id, service }: ShowAgainDto,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<Pick<ShownAgain, 'cell'> | string> {
    const session = await this.#session(sent, request);
    const shown = await this.matrix.showAgain(id, service);
    if (shown === undefined) throw new NotFoundException({ error: 'No such token', code: 'token_not_found' });
    if ('notRun' in shown) throw new ServiceUnavailableException({ error: shown.notRun, code: 'not_run' });
    return this.#answer({ cell: shown.cell }, shownAgainPage(shown, session), request, reply);
  }

  /** A token takes precedence over a session. The guard has already checked it. */
  async #session(sent: VerifiedAccessToken | undefined, request: BrowserRequest) {
    return sent === undefined ? this.sessionCaller.sessionOf(request, PERMISSION) : undefined;
  }

  #answer<T>(json: T, page: Page, request: BrowserRequest, reply: PageReply): T | string {
    reply.header('Vary', 'Accept, Cookie');
    if (!prefersHtml(request)) return json;
    reply.type('text/html; charset=utf-8');
    return this.pages.render(page);
  }
}

/** Of a caller whose token the guard has checked: a `VerifiedAccessToken` does not reveal its text. */
const bearerOf = ({ authorization }: IncomingHttpHeaders): string | undefined =>
  authorization?.replace(/^bearer +/i, '');
