// What a browser does in the tour, without one: it keeps cookies, follows redirects step by step, and fills in a form.
import { call, TourError } from './tour-calls.mjs';

/** What a browser adds to a request by itself. */
const PAGE = { accept: 'text/html' };
const FROM_A_PAGE_HERE = { 'sec-fetch-site': 'same-origin' };

export class TourBrowser {
  /** Name to value, by origin. */
  #cookies = new Map();

  get(url) {
    return this.#send('GET', url, {});
  }

  /** Submits a form that a page of the same origin shows. */
  post(url, fields) {
    return this.#send('POST', url, fields);
  }

  /** Opens what an answer redirects to, and so on, to the first page. */
  async follow(answer) {
    let page = answer;
    for (let hops = 0; page.headers.has('location'); hops += 1) {
      if (hops === 5) throw new TourError(`Too many redirects: ${page.url}`);
      page = await this.get(new URL(page.headers.get('location'), page.url).href);
    }
    return page;
  }

  /** Sends the one form of a page with these fields. */
  submitForm({ url, body }, fields) {
    const action = /<form[^>]* action="([^"]+)"/.exec(body)?.[1]?.replaceAll('&amp;', '&');
    if (action === undefined) throw new TourError(`There is no form at ${url}`);
    return this.post(new URL(action, url).href, fields);
  }

  /** Whether any origin left a cookie of this name. */
  holds(name) {
    return [...this.#cookies.values()].some((jar) => jar.has(name));
  }

  /** Another browser with the same cookies. */
  copy() {
    const other = new TourBrowser();
    other.#cookies = structuredClone(this.#cookies);
    return other;
  }

  async #send(method, url, fields) {
    const jar = this.#jar(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const isPost = method === 'POST';
    const answer = await call(method, url, {
      headers: { ...PAGE, ...(cookie === '' ? {} : { cookie }), ...(isPost ? FROM_A_PAGE_HERE : {}) },
      shownHeaders: jar.size === 0 ? [] : [`Cookie: ${[...jar.keys()].join(', ')}`],
      shownBody: Object.entries(fields).map(([name, value]) => `${name}=${name === 'password' ? '********' : value}`),
      ...(isPost ? { body: new URLSearchParams(fields) } : {}),
    });
    for (const line of answer.headers.getSetCookie()) keep(jar, line);
    return answer;
  }

  #jar(url) {
    const { origin } = new URL(url);
    const jar = this.#cookies.get(origin) ?? new Map();
    this.#cookies.set(origin, jar);
    return jar;
  }
}

function keep(jar, line) {
  const [pair, ...attributes] = line.split(/; */);
  const at = pair.indexOf('=');
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  if (value === '' || attributes.some((attribute) => /^max-age=0$/i.test(attribute))) jar.delete(name);
  else jar.set(name, value);
}
