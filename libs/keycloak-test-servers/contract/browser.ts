import { replyFrom, type Reply } from './requests.js';

export interface Page extends Reply {
  readonly url: string;
}

export interface Sent {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
}

const PAGE = { Accept: 'text/html' };

export class Browser {
  readonly cookies = new Map<string, Map<string, string>>();
  readonly seen: string[] = [];

  async send(url: string, { method = 'GET', headers = {}, form }: Sent = {}): Promise<Page> {
    const jar = this.#jar(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await replyFrom(url, {
      method,
      headers: { ...PAGE, ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    for (const line of reply.headers.getSetCookie()) keep(jar, line);
    this.seen.push(url, JSON.stringify([...reply.headers]), reply.text);
    return { ...reply, url };
  }

  async open(url: string, sent: Sent = {}, until: (next: string) => boolean = () => false): Promise<Page> {
    let page = await this.send(url, sent);
    for (let hops = 0; hops < 10; hops += 1) {
      const next = locationOf(page);
      if (next === undefined || until(next)) return page;
      page = await this.send(next);
    }
    throw new Error(`Too many redirects: ${page.url}`);
  }

  submitLogin(page: Page, username: string, password = username): Promise<Page> {
    return this.submitForm(page, { username, password });
  }

  async submitForm({ url, status, text }: Page, fields: Readonly<Record<string, string>>): Promise<Page> {
    const action = /<form[^>]* action="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    if (action === undefined) throw new Error(`No form in an answer ${status} of ${url}: ${text.slice(0, 300)}`);
    const hidden = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const form = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields };
    return this.send(new URL(action, url).href, { method: 'POST', form });
  }

  cookie(url: string, name: string): string | undefined {
    return this.#jar(url).get(name);
  }

  setCookie(url: string, name: string, value: string): void {
    this.#jar(url).set(name, value);
  }

  #jar(url: string): Map<string, string> {
    const { origin } = new URL(url);
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar);
    return jar;
  }
}

export function locationOf({ url, headers }: Page): string | undefined {
  const location = headers.get('location');
  return location === null ? undefined : new URL(location, url).href;
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(/; */);
  const at = pair.indexOf('=');
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  // The browser deletes an expired cookie and ignores all other cookie attributes.
  const gone = value === '' || attributes.some((attribute) => /^max-age=0$/i.test(attribute));
  if (gone) jar.delete(name);
  else jar.set(name, value.replace(/^"(.*)"$/, '$1'));
}
