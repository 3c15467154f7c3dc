/** ServicePaths: paths at one service; whatever leads elsewhere is no path there. */

import { loggableText } from '../protocol/loggable-text.js';

/** A path of which the URL parser would change nothing. */
const PLAIN_PATH = /^(?:\/[\w~-]+)+$/;

export class ServicePaths {
  readonly origin: string;
  /** Without a slash at its end. */
  readonly #base: string;

  constructor(
    private readonly service: string,
    baseUrl: string,
  ) {
    const { origin, pathname } = new URL(baseUrl);
    this.origin = origin;
    this.#base = pathname.replace(/\/$/, '');
  }

  /** The path as it is sent, for one below the base URL, with a leading slash. Throws `TypeError` for one that leads elsewhere. */
  below(path: string): string {
    if (PLAIN_PATH.test(path)) return this.#base + path;
    // Without its slash a path could lengthen the host or the port.
    if (!path.startsWith('/')) throw this.#elsewhere();
    return this.of(this.origin + this.#base + path);
  }

  /** The path as it is sent, for the base URL itself or one below it. Throws `TypeError` for one that leads elsewhere, or has a user name or password. */
  of(url: string): string {
    const { origin, pathname, search, username, password } = parsed(url) ?? NOWHERE;
    const isBelow = leadsBelow(this.#base, pathname) && leadsBelow(asDecoded(this.#base), asDecoded(pathname));
    if (origin !== this.origin || !isBelow || username !== '' || password !== '') throw this.#elsewhere();
    return pathname + search;
  }

  /** Where a call went, for the log; `path` is as it was sent. What is in its query is left out. */
  addressOf(path: string): string {
    return this.origin + (loggableText(path.split('?')[0]) ?? '');
  }

  #elsewhere(): TypeError {
    return new TypeError(`A path at ${this.service} begins with "/" and stays below its base URL`);
  }
}

const leadsBelow = (base: string, pathname: string): boolean => pathname === base || pathname.startsWith(`${base}/`);

/** As proxies read it that decode a path before they go by it, such as nginx: to them `..%2f` leads up, maybe to another service behind them. */
function asDecoded(pathname: string): string {
  const decoded = pathname.replaceAll(/%2f|%5c/gi, '/');
  return decoded === pathname ? pathname : new URL(`http://host${decoded}`).pathname;
}

const NOWHERE = { origin: '', pathname: '', search: '', username: '', password: '' };

function parsed(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
