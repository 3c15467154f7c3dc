/** RefusalPageFilter: shows a browser why it was refused, as a page; everybody else gets the JSON. */
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Refusal, RefusalBody, RefusalFilter } from 'nestjs-keycloak-s2s';
import type { Cookies } from '../login/cookies.js';
import { SESSION_ENDED } from '../login/session-caller.js';
import { prefersHtml, type PageReply, type PageRequest } from './negotiation.js';

/** For routes that a session opens: with the refusal of one that is over, the browser forgets its cookie. */
export abstract class RefusalPageFilter implements ExceptionFilter<Refusal> {
  constructor(
    private readonly refusals: RefusalFilter,
    private readonly cookies: Cookies,
  ) {}

  /** Made after the refusal was logged. */
  protected abstract page(body: RefusalBody, status: number, request: PageRequest): string;

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
    reply
      .code(status)
      .type('text/html; charset=utf-8')
      .send(this.page(body, status, request));
  }
}
