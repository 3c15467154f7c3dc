import { Controller, Get, Inject, Optional, Req, Res, UseFilters } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { Caller, BearerError, OptionalToken, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { RequestTracer } from 'demo';
import { serviceAConfig } from '../config.js';
import { SessionCaller } from '../login/session-caller.js';
import type { CookieRequest } from '../login/cookies.js';
import { OrdersService } from '../orders/orders.service.js';
import { Pages } from '../pages/pages.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { ProcessingClient, type ProcessedOrder } from '../processing.client.js';
import { answeredDetails, NO_DETAILS } from './chain-details.js';
import { chainSucceededPage } from './chain-page.js';
import { ChainPageFilter } from './chain-page.filter.js';
import { ChainTokens } from './chain-tokens.js';

const ORDER_ID = '9876';
const PERMISSION = 'orders.read';

@Controller('run-service-b')
@UseFilters(ChainPageFilter)
export class ChainController {
  constructor(
    @Inject(serviceAConfig.KEY) private readonly config: ConfigType<typeof serviceAConfig>,
    private readonly orders: OrdersService,
    private readonly processing: ProcessingClient,
    private readonly pages: Pages,
    private readonly sessionCaller: SessionCaller,
    private readonly tokens: ChainTokens,
    @Optional() @Inject(RequestTracer) private readonly tracer?: RequestTracer,
  ) {}

  /** A user needs orders.read at Service A and orders.approve at Service B. */
  @Get()
  @OptionalToken()
  @RequirePermission(PERMISSION)
  async run(
    @Caller() sent: VerifiedAccessToken | undefined,
    @Req() request: PageRequest & CookieRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<ProcessedOrder | string> {
    const caller = sent ?? (await this.sessionCaller.of(request, PERMISSION));
    if (caller !== undefined) this.tokens.remember(request, caller);
    const answer = await this.#process(caller);
    reply.header('Vary', 'Accept, Cookie');
    if (!prefersHtml(request)) return answer;
    reply.type('text/html; charset=utf-8');
    // Ends the trace before the request that reads the tokens, since this request is not part of the chain.
    const metrics = this.tracer?.end(request);
    const { demoMode, name } = this.config;
    const details = demoMode ? answeredDetails(metrics, await this.tokens.of(name, caller)) : NO_DETAILS;
    return this.pages.render(chainSucceededPage(answer, caller?.username ?? name, details));
  }

  #process(caller: VerifiedAccessToken | undefined): Promise<ProcessedOrder> {
    const order = this.orders.find(ORDER_ID);
    if (caller !== undefined) return this.processing.processFor(caller, order);
    // Outside demo mode no anonymous caller may act as the service.
    if (!this.config.demoMode) throw new BearerError('missing_token', { reason: 'no_credentials' });
    return this.processing.processAsSelf(order);
  }
}
