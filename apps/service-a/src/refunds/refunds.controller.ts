import { Controller, Get, HttpCode, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import {
  Caller,
  BearerError,
  OptionalToken,
  RequireStepUp,
  RequirePermission,
  VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import type { CookieRequest } from '../login/cookies.js';
import { SessionCaller } from '../login/session-caller.js';
import { OrdersService } from '../orders/orders.service.js';
import { prefersHtml, type PageReply, type PageRequest } from '../pages/negotiation.js';
import { Pages, type Page } from '../pages/pages.js';
import { ProcessingClient, type Order, type ProcessedOrder } from '../processing.client.js';
import { refundedPage, refundPage } from './refund-page.js';
import { RefundPageFilter } from './refund-page.filter.js';

const ORDER_ID = '9876';
const PERMISSION = 'orders.read';
/** Requires a recent password, so that a stranger at an unattended browser can't refund. */
const AUTHENTICATION = { acr: '2', maxAgeSeconds: 300 } as const;

type BrowserRequest = PageRequest & CookieRequest;

@Controller('refund')
@OptionalToken()
@RequirePermission(PERMISSION)
@RequireStepUp(AUTHENTICATION)
@UseFilters(RefundPageFilter)
export class RefundsController {
  constructor(
    private readonly orders: OrdersService,
    private readonly processing: ProcessingClient,
    private readonly pages: Pages,
    private readonly sessionCaller: SessionCaller,
  ) {}

  @Get()
  async show(
    @Caller() sent: VerifiedAccessToken | undefined,
    @Query('not_sent') notSent: unknown,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<Order | string> {
    await this.#caller(sent, request);
    const order = this.orders.find(ORDER_ID);
    const csrfToken = this.sessionCaller.sessionOf(request)?.csrfToken;
    return this.#answer(order, refundPage({ order, csrfToken, wasNotSent: notSent === 'true' }), request, reply);
  }

  @Post()
  @HttpCode(200)
  async refund(
    @Caller() sent: VerifiedAccessToken | undefined,
    @Req() request: BrowserRequest,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<ProcessedOrder | string> {
    const caller = await this.#caller(sent, request);
    const answer = await this.processing.refundFor(caller, this.orders.find(ORDER_ID));
    return this.#answer(answer, refundedPage(answer), request, reply);
  }

  /** The guard checks only tokens of requests, so this method checks tokens of sessions. */
  async #caller(sent: VerifiedAccessToken | undefined, request: BrowserRequest): Promise<VerifiedAccessToken> {
    const caller = sent ?? (await this.sessionCaller.of(request, PERMISSION, AUTHENTICATION));
    if (caller === undefined) throw new BearerError('missing_token', { reason: 'no_credentials' });
    return caller;
  }

  #answer<T>(json: T, page: Page, request: BrowserRequest, reply: PageReply): T | string {
    reply.header('Vary', 'Accept, Cookie');
    if (!prefersHtml(request)) return json;
    reply.type('text/html; charset=utf-8');
    return this.pages.render(page);
  }
}
