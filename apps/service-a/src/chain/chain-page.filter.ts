import { Catch, Inject, Injectable, Optional } from '@nestjs/common';
import { KeycloakException, KeycloakExceptionFilter } from 'nestjs-keycloak-s2s';
import { RequestTracer } from 'demo';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { Cookies } from '../login/cookies.js';
import { RefusalPageFilter, type RefusedPage } from '../login/refusal-page.filter.js';
import type { PageRequest } from '../pages/negotiation.js';
import { StepUpRedirects } from '../login/step-up-redirects.js';
import { Pages, type Page } from '../pages/pages.js';
import { refusedDetails } from './chain-details.js';
import { chainRefusedPage } from './chain-page.js';
import { ChainTokens } from './chain-tokens.js';

@Catch(KeycloakException)
@Injectable()
export class ChainPageFilter extends RefusalPageFilter {
  constructor(
    refusals: KeycloakExceptionFilter,
    cookies: Cookies,
    pages: Pages,
    stepUps: StepUpRedirects,
    @Inject(serviceAConfig.KEY) private readonly config: ServiceAConfig,
    private readonly tokens: ChainTokens,
    @Optional() @Inject(RequestTracer) private readonly tracer?: RequestTracer,
  ) {
    super(refusals, cookies, pages, stepUps);
  }

  protected override page(refused: RefusedPage, request: PageRequest): Page {
    const { demoMode, name } = this.config;
    const token = demoMode ? this.tokens.ofRefused(name, request) : undefined;
    return chainRefusedPage(refused, refusedDetails(this.tracer?.end(request), token));
  }
}
