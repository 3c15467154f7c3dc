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
