import type { ServerResponse } from 'node:http';
import {
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  HttpStatus,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { BearerError, OptionalToken, RequirePermission } from 'nestjs-keycloak-s2s';
import type { CookieRequest } from '../login/cookies.js';
import { CROSS_SITE } from '../login/csrf.guard.js';
import { SessionCaller } from '../login/session-caller.js';
import { MAX_WATCHES, MAX_WATCHES_PER_USER, Watches } from './watches.js';

const PERMISSION = 'attacks.run';

interface StreamReply {
  readonly raw: ServerResponse;
  header(name: string, value: string): this;
}

@Controller('watch')
@OptionalToken()
@RequirePermission(PERMISSION)
export class WatchController {
  constructor(
    private readonly watches: Watches,
    private readonly sessionCaller: SessionCaller,
  ) {}

  @Get()
  async watch(@Req() request: CookieRequest, @Res({ passthrough: true }) reply: StreamReply): Promise<StreamableFile> {
    // Another site could open many streams that nobody reads, until the limit is reached.
    if ((request.headers['sec-fetch-site'] ?? 'same-origin') !== 'same-origin') {
      throw new ForbiddenException({ ...CROSS_SITE });
    }
    const closed = new AbortController();
    // The listener is registered before the first `await`, since a disconnected caller must not count towards the
    // limit.
    reply.raw.once('close', () => closed.abort());
    const caller = await this.sessionCaller.of(request, PERMISSION);
    const session = this.sessionCaller.sessionOf(request);
    if (caller === undefined || session === undefined) {
      throw new BearerError('missing_token', { reason: 'no_credentials' });
    }
    const { accessToken } = session.tokens.reveal();
    const stream = this.watches.open({ username: session.username, caller, accessToken }, closed.signal);
    if (stream === undefined) {
      const words = `Too many pages are watched: at most ${MAX_WATCHES} in all, and ${MAX_WATCHES_PER_USER} per user`;
      throw new HttpException({ error: words, code: 'too_many_watches' }, HttpStatus.SERVICE_UNAVAILABLE);
    }
    reply.header('Vary', 'Cookie');
    return new StreamableFile(stream.body, { type: 'text/event-stream; charset=utf-8' });
  }
}
