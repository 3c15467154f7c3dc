import { HttpStatus, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import {
  KeycloakExceptionFilter,
  type KeycloakException,
  type RefusalBody,
  type RefusalReply,
} from 'nestjs-keycloak-s2s';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages, type Page } from '../pages/pages.js';
import { Cookies } from './cookies.js';
import { adviceFor } from './refusal-advice.js';
import { SESSION_ENDED } from './session-caller.js';
import { StepUpRedirects, type StepUp } from './step-up-redirects.js';

export interface RefusedPage {
  readonly body: RefusalBody;
  readonly status: number;
  readonly advice: string;
  readonly loginLink?: string | undefined;
}

/**
 * A refusal clears the cookie of an ended session, unless a login is in progress. During a login, the browser may
 * already have the new session's cookie.
 */
@Injectable()
export abstract class RefusalPageFilter implements ExceptionFilter<KeycloakException> {
  constructor(
    private readonly refusals: KeycloakExceptionFilter,
    private readonly cookies: Cookies,
    private readonly pages: Pages,
    private readonly stepUps: StepUpRedirects,
  ) {}

  /** If this method returns undefined, the browser returns to the refused page. */
  protected returnTo(_request: PageRequest): string | undefined {
    return undefined;
  }

  protected abstract page(refused: RefusedPage, request: PageRequest): Page;

  catch(refusal: KeycloakException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<PageReply>();
    reply.header('Vary', 'Accept, Cookie');
    const request = http.getRequest<PageRequest>();
    const isLoggingIn = this.cookies.loginKeys(request.raw).length > 0;
    if (refusal.reason === SESSION_ENDED && !isLoggingIn) reply.header('Set-Cookie', this.cookies.clearSession());
    if (!prefersHtml(request)) {
      this.refusals.catch(refusal, host);
      return;
    }
    this.refusals.log(refusal, host);
    const stepUp = this.stepUps.for(refusal, request, this.returnTo(request));
    if (stepUp?.isAtOnce === true) reply.code(HttpStatus.SEE_OTHER).header('Location', stepUp.link).send('');
    else this.#sendPage(this.refusals.toReply(refusal, host), stepUp, request, reply);
  }

  #sendPage(
    { status, headers, body }: RefusalReply,
    stepUp: StepUp | undefined,
    request: PageRequest,
    reply: PageReply,
  ): void {
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    const advice = adviceFor(body, stepUp?.isRepeated);
    const page = this.page({ body, status, advice, loginLink: stepUp?.link }, request);
    reply.code(status).type('text/html; charset=utf-8').send(this.pages.render(page));
  }
}
