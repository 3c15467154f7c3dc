/** LogoutPageFilter: tells a browser that a logout ended the session here, and that Keycloak did not answer, as a page; other callers get JSON. */
import { Catch, Injectable } from '@nestjs/common';
import { KeycloakException } from 'nestjs-keycloak-s2s';
import type { Page } from '../pages/pages.js';
import { LoginPageFilter } from './login-page.filter.js';
import { loggedOutHerePage } from './login-page.js';

@Catch(KeycloakException)
@Injectable()
export class LogoutPageFilter extends LoginPageFilter {
  protected override page(): Page {
    return loggedOutHerePage();
  }
}
