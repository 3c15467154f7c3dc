import { Inject, Injectable } from '@nestjs/common';
import type { KeycloakException } from 'nestjs-keycloak-s2s';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { prefersHtml, type PageRequest } from '../pages/negotiation.js';
import { SessionCaller } from './session-caller.js';
import { loginLink } from './step-up.js';
import { UserSessions } from './user-sessions.js';

export interface StepUp {
  readonly link: string;
  /** If false, a page shows the login link instead of a redirect. */
  readonly isAtOnce: boolean;
  /** Whether the user has just logged in again, and the new login does not meet the requirement. */
  readonly isRepeated: boolean;
}

@Injectable()
export class StepUpRedirects {
  constructor(
    @Inject(serviceAConfig.KEY) private readonly config: ServiceAConfig,
    private readonly sessions: UserSessions,
    private readonly sessionCaller: SessionCaller,
  ) {}

  /**
   * Redirects only a GET navigation, since the browser repeats the request after the login. To prevent a redirect loop,
   * a refusal directly after the login is a page.
   */
  for(refusal: KeycloakException, request: PageRequest, returnTo = pathOf(request)): StepUp | undefined {
    if (refusal.code !== 'insufficient_user_authentication' || refusal.authentication === undefined) return undefined;
    const session = this.sessionCaller.sessionOf(request);
    if (session === undefined) return undefined;
    const link = loginLink(refusal.authentication, returnTo, this.config.login.acrValues);
    if (link === undefined) return undefined;
    const isRepeated = this.sessions.hasJustSteppedUp(session);
    return { link, isAtOnce: isNavigation(request) && !isRepeated, isRepeated };
  }
}

/** If an older browser sends no `Sec-Fetch-Dest`, the request counts as a navigation. */
function isNavigation(request: PageRequest): boolean {
  const { method, headers } = request.raw;
  return method === 'GET' && prefersHtml(request) && (headers['sec-fetch-dest'] ?? 'document') === 'document';
}

/** The login checks the returned path before the redirect. */
const pathOf = ({ raw }: PageRequest): string => (raw.method === 'GET' ? (raw.url ?? '/') : '/');
