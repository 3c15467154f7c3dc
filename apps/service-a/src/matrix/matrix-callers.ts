import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import type { CookieRequest } from '../login/cookies.js';
import { SessionCaller } from '../login/session-caller.js';
import type { Viewer } from './matrix-page.js';

export interface MatrixCaller {
  readonly viewer: Viewer | undefined;
  readonly token: string | undefined;
}

type Request = CookieRequest & { readonly headers: IncomingHttpHeaders };

@Injectable()
export class MatrixCallers {
  constructor(private readonly sessionCaller: SessionCaller) {}

  /** The token `sent`, which the guard has checked, takes precedence over a session. */
  async of(sent: VerifiedAccessToken | undefined, request: Request, permission: string): Promise<MatrixCaller> {
    if (sent !== undefined) return { viewer: undefined, token: bearerOf(request.headers) };
    await this.sessionCaller.of(request, permission);
    // Does not check the session again, since the user of a session that ends between two checks would count as
    // anonymous.
    const session = this.sessionCaller.sessionOf(request);
    return { viewer: session, token: session?.tokens.reveal().accessToken };
  }
}

/** Reads the header, since a `VerifiedAccessToken` does not reveal the token's text. */
const bearerOf = ({ authorization }: IncomingHttpHeaders): string | undefined =>
  authorization?.replace(/^bearer +/i, '');
