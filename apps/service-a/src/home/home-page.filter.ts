import { Catch, Injectable } from '@nestjs/common';
import { KeycloakException } from 'nestjs-keycloak-s2s';
import { RefusalPageFilter, type RefusedPage } from '../login/refusal-page.filter.js';
import type { Page } from '../pages/pages.js';
import { homeRefusedPage } from './home-page.js';

@Catch(KeycloakException)
@Injectable()
export class HomePageFilter extends RefusalPageFilter {
  protected override page(refused: RefusedPage): Page {
    return homeRefusedPage(refused);
  }
}
