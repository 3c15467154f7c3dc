import {
  Catch,
  Injectable,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { KeycloakException, KeycloakExceptionFilter } from 'nestjs-keycloak-s2s';
import { RepeatedLines } from 'nestjs-keycloak-s2s/diagnostics';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages, type Page } from '../pages/pages.js';
import { LoginError } from './login-error.js';
import { loginFailedPage } from './login-page.js';

@Catch(LoginError, KeycloakException)
@Injectable()
export class LoginPageFilter implements ExceptionFilter<LoginError | KeycloakException>, OnApplicationShutdown {
  readonly #logger = new Logger('Login');
  readonly #repeated = new RepeatedLines();

  constructor(
    private readonly refusals: KeycloakExceptionFilter,
    private readonly pages: Pages,
  ) {}

  protected page(code: string): Page {
    return loginFailedPage(code);
  }

  catch(error: LoginError | KeycloakException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<PageReply>();
    const { status, headers, body } = this.#reply(error, host);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.header('Vary', 'Accept, Cookie').code(status);
    if (prefersHtml(http.getRequest<PageRequest>())) {
      reply.type('text/html; charset=utf-8').send(this.pages.render(this.page(body.code)));
    } else {
      reply.type('application/json; charset=utf-8').send(JSON.stringify(body));
    }
  }

  #reply(
    error: LoginError | KeycloakException,
    host: ArgumentsHost,
  ): Pick<ReturnType<KeycloakExceptionFilter['toReply']>, 'status' | 'headers'> & {
    readonly body: { readonly error: string; readonly code: string };
  } {
    if (error instanceof KeycloakException) {
      this.refusals.log(error, host);
      return this.refusals.toReply(error, host);
    }
    this.#logFailure(error);
    return { status: error.getStatus(), headers: {}, body: { error: 'Login failed', code: error.code } };
  }

  /**
   * Groups log lines by code, since anyone can cause failed logins. Does not group log lines by reason, since the
   * caller may choose the reason.
   */
  #logFailure({ code, reason }: LoginError): void {
    const summarize = (unwritten: object): void =>
      this.#logger.warn('Login failed several times', { code, ...unwritten });
    if (this.#repeated.admits(code, summarize)) this.#logger.warn('Login failed', { code, reason });
  }

  onApplicationShutdown(): void {
    this.#repeated.end();
  }
}
