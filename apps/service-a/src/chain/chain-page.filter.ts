/** ChainPageFilter: shows a browser why the chain was refused, as a page; everybody else gets the JSON. */
import { Catch, Inject, Injectable, Optional, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { Refusal, RefusalFilter } from 'nestjs-keycloak-s2s';
import { RequestTracer } from 'service-defaults';
import { Cookies } from '../login/cookies.js';
import { SESSION_ENDED } from '../login/session-caller.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages } from '../pages/pages.js';
import { refusedDetails } from './chain-details.js';

@Catch(Refusal)
@Injectable()
export class ChainPageFilter implements ExceptionFilter<Refusal> {
  constructor(
    private readonly refusals: RefusalFilter,
    private readonly pages: Pages,
    private readonly cookies: Cookies,
    /** In demo mode only. */
    @Optional() @Inject(RequestTracer) private readonly tracer?: RequestTracer,
  ) {}

  catch(refusal: Refusal, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<PageReply>();
    reply.header('Vary', 'Accept, Cookie');
    if (refusal.reason === SESSION_ENDED) reply.header('Set-Cookie', this.cookies.clearSession());
    const request = http.getRequest<PageRequest>();
    if (!prefersHtml(request)) {
      this.refusals.catch(refusal, host);
      return;
    }
    this.refusals.log(refusal);
    const { status, headers, body } = this.refusals.toReply(refusal);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    // The refusal itself was told when it was logged: it is the last step.
    const page = this.pages.chainRefused(body, status, refusedDetails(this.tracer?.end(request)));
    reply.code(status).type('text/html; charset=utf-8').send(page);
  }
}
