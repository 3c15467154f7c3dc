/** AttackPageFilter: the page that says why the attacks may not be run. */
import { Catch, Injectable } from '@nestjs/common';
import { Refusal, RefusalFilter } from 'nestjs-keycloak-s2s';
import { Cookies } from '../login/cookies.js';
import { RefusalPageFilter, type RefusedPage } from '../login/refusal-page.filter.js';
import { Pages, type Page } from '../pages/pages.js';
import { attacksRefusedPage } from './attacks-page.js';

@Catch(Refusal)
@Injectable()
export class AttackPageFilter extends RefusalPageFilter {
  constructor(refusals: RefusalFilter, cookies: Cookies, pages: Pages) {
    super(refusals, cookies, pages);
  }

  protected override page(refused: RefusedPage): Page {
    return attacksRefusedPage(refused);
  }
}
