/** StepUpRedirects: where a browser goes for the login that a refusal demands (RFC 9470 §4). */
import { Inject, Injectable } from '@nestjs/common';
import type { KeycloakException } from 'nestjs-keycloak-s2s';
import { serviceAConfig, type ServiceAConfig } from '../config.js';
import { prefersHtml, type PageRequest } from '../pages/negotiation.js';
import { SessionCaller } from './session-caller.js';
import { loginLink } from './step-up.js';
import { UserSessions } from './user-sessions.js';

export interface StepUp {
  /** The link at which the login begins. */
  readonly link: string;
  /** Whether the browser is sent there at once. Otherwise a page offers the link. */
  readonly isAtOnce: boolean;
  /** Whether the user has just logged in for that, and it did not suffice. */
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
   * Undefined for any other refusal, for a request without a session, and for a level that this service may not ask for. `returnTo`: the page that the
   * browser gets afterwards, in place of the path that was refused.
   *
   * A browser is sent away only where it navigates by GET, which it then does again: no other request is made twice. And it is sent once: a refusal
   * right after such a login is shown.
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

/** By GET, for a whole page, and not by a script or into a frame: older browsers do not say which. */
function isNavigation(request: PageRequest): boolean {
  const { method, headers } = request.raw;
  return method === 'GET' && prefersHtml(request) && (headers['sec-fetch-dest'] ?? 'document') === 'document';
}

/** With its query; a login checks it before it returns there. */
const pathOf = ({ raw }: PageRequest): string => (raw.method === 'GET' ? (raw.url ?? '/') : '/');
