/** AttackPageFilter: shows a page that says why the attacks may not be run. */
import { Catch, Injectable } from '@nestjs/common';
import { Refusal, RefusalFilter, type RefusalBody } from 'nestjs-keycloak-s2s';
import { Cookies } from '../login/cookies.js';
import { Pages } from '../pages/pages.js';
import { RefusalPageFilter } from '../pages/refusal-page.filter.js';

@Catch(Refusal)
@Injectable()
export class AttackPageFilter extends RefusalPageFilter {
  constructor(
    refusals: RefusalFilter,
    cookies: Cookies,
    private readonly pages: Pages,
  ) {
    super(refusals, cookies);
  }

  protected override page(body: RefusalBody, status: number): string {
    return this.pages.attacksRefused(body, status);
  }
}
