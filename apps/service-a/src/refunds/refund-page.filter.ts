import { Catch, Injectable } from '@nestjs/common';
import { KeycloakException } from 'nestjs-keycloak-s2s';
import { RefusalPageFilter, type RefusedPage } from '../login/refusal-page.filter.js';
import type { PageRequest } from '../pages/negotiation.js';
import type { Page } from '../pages/pages.js';
import { refundRefusedPage } from './refund-page.js';

const AFTER_LOGIN = '/refund?not_sent=true';

@Catch(KeycloakException)
@Injectable()
export class RefundPageFilter extends RefusalPageFilter {
  protected override returnTo({ raw }: PageRequest): string | undefined {
    return raw.method === 'GET' ? undefined : AFTER_LOGIN;
  }

  protected override page(refused: RefusedPage): Page {
    return refundRefusedPage(refused);
  }
}
