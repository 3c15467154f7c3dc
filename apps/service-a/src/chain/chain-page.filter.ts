/** ChainPageFilter: shows a page that says why the chain was refused, and what happened before. */
import { Catch, Inject, Injectable, Optional } from '@nestjs/common';
import { Refusal, RefusalFilter, type RefusalBody } from 'nestjs-keycloak-s2s';
import { RequestTracer } from 'demo';
import { Cookies } from '../login/cookies.js';
import type { PageRequest } from '../pages/negotiation.js';
import { Pages } from '../pages/pages.js';
import { RefusalPageFilter } from '../pages/refusal-page.filter.js';
import { refusedDetails } from './chain-details.js';

@Catch(Refusal)
@Injectable()
export class ChainPageFilter extends RefusalPageFilter {
  constructor(
    refusals: RefusalFilter,
    cookies: Cookies,
    private readonly pages: Pages,
    /** In demo mode only. */
    @Optional() @Inject(RequestTracer) private readonly tracer?: RequestTracer,
  ) {
    super(refusals, cookies);
  }

  protected override page(body: RefusalBody, status: number, request: PageRequest): string {
    // The refusal is the last step of the trace: it was published when it was logged.
    return this.pages.chainRefused(body, status, refusedDetails(this.tracer?.end(request)));
  }
}
