/** AttackPageFilter: shows a browser why it may not run the attacks, as a page; everybody else gets the JSON. */
import { Catch, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { Refusal, RefusalFilter } from 'nestjs-keycloak-s2s';
import { Cookies } from '../login/cookies.js';
import { SESSION_ENDED } from '../login/session-caller.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages } from '../pages/pages.js';

@Catch(Refusal)
@Injectable()
export class AttackPageFilter implements ExceptionFilter<Refusal> {
  constructor(
    private readonly refusals: RefusalFilter,
    private readonly pages: Pages,
    private readonly cookies: Cookies,
  ) {}

  catch(refusal: Refusal, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<PageReply>();
    reply.header('Vary', 'Accept, Cookie');
    if (refusal.reason === SESSION_ENDED) reply.header('Set-Cookie', this.cookies.clearSession());
    if (!prefersHtml(http.getRequest<PageRequest>())) {
      this.refusals.catch(refusal, host);
      return;
    }
    this.refusals.log(refusal);
    const { status, headers, body } = this.refusals.toReply(refusal);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.code(status).type('text/html; charset=utf-8').send(this.pages.attacksRefused(body, status));
  }
}
