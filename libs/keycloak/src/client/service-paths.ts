/** ServicePaths: paths at one service. A path that leads elsewhere, or that would not be sent as it was given, throws `TypeError`. */

import { loggableText } from '../protocol/loggable-text.js';
import { sentPath, splitUrl } from '../protocol/request-path.js';

export class ServicePaths {
  readonly origin: string;
  /** Without a slash at its end. */
  readonly #base: string;

  constructor(
    private readonly service: string,
    baseUrl: string,
  ) {
    const [origin, path] = splitUrl(baseUrl) ?? [];
    const base = path === undefined ? undefined : sentPath(path);
    if (origin === undefined || base === undefined) throw this.#changed();
    this.origin = new URL(origin).origin;
    this.#base = base.replace(/\/$/, '');
  }

  /** The path as it is sent, for one below the base URL, with a leading slash. */
  below(path: string): string {
    // Without its slash a path could lengthen the host or the port.
    if (typeof path !== 'string' || !path.startsWith('/')) throw this.#elsewhere();
    const sent = sentPath(path);
    if (sent === undefined) throw this.#changed();
    return this.#base + sent;
  }

  /** The path as it is sent, for the base URL itself or one below it, without user name and password. */
  of(url: string): string {
    const [origin, path] = splitUrl(url) ?? [];
    if (origin === undefined || path === undefined || new URL(origin).origin !== this.origin) throw this.#elsewhere();
    const sent = sentPath(path);
    if (sent === undefined) throw this.#changed();
    const [pathname = ''] = sent.split('?', 1);
    if (pathname !== this.#base && !pathname.startsWith(`${this.#base}/`)) throw this.#elsewhere();
    return sent;
  }

  /** Where a call went, for the log; `path` is as it was sent. What is in its query is left out. */
  addressOf(path: string): string {
    return this.origin + (loggableText(path.split('?')[0]) ?? '');
  }

  #elsewhere(): TypeError {
    return new TypeError(`A path at ${this.service} begins with "/" and stays below its base URL`);
  }

  #changed(): TypeError {
    return new TypeError(
      `A path at ${this.service} has no dot segment, backslash, "#", control character (encoded or not) or lone surrogate: encode segments and queries (encodeURIComponent), and check ids first, since encodeURIComponent leaves "." and ".." as they are`,
    );
  }
}
