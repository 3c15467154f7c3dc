import { loggableText } from '../protocol/loggable-text.js';
import { sentPath, splitUrl } from '../protocol/request-path.js';

export class ServicePaths {
  readonly origin: string;
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

  below(path: string): string {
    // Without a leading slash, the path could extend the host or the port.
    if (typeof path !== 'string' || !path.startsWith('/')) throw this.#elsewhere();
    const sent = sentPath(path);
    if (sent === undefined) throw this.#changed();
    return this.#base + sent;
  }

  /** Returns the path of a URL at or below the base URL, without credentials. */
  of(url: string): string {
    const [origin, path] = splitUrl(url) ?? [];
    if (origin === undefined || path === undefined || new URL(origin).origin !== this.origin) throw this.#elsewhere();
    const sent = sentPath(path);
    if (sent === undefined) throw this.#changed();
    const [pathname = ''] = sent.split('?', 1);
    if (pathname !== this.#base && !pathname.startsWith(`${this.#base}/`)) throw this.#elsewhere();
    return sent;
  }

  addressOf(path: string): string {
    return this.origin + (loggableText(path.split('?')[0]) ?? '');
  }

  #elsewhere(): TypeError {
    return new TypeError(`A path at ${this.service} must begin with "/" and stay below its base URL`);
  }

  #changed(): TypeError {
    return new TypeError(
      `A path at ${this.service} must not contain a dot segment, backslash, "#", control character (encoded or not) or lone surrogate. Encode segments and queries with encodeURIComponent, and check ids first, because it does not encode "." and ".."`,
    );
  }
}
