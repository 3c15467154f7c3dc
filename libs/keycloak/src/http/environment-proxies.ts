/** EnvironmentProxies: the forward proxies that the environment names, where it says that Node is to use them. */
import { ForwardProxy } from './forward-proxy.js';

type Environment = Readonly<Record<string, string | undefined>>;

interface Exemption {
  readonly host: string;
  /** Undefined for each. */
  readonly port: string | undefined;
}

/**
 * `NODE_USE_ENV_PROXY=1` or the flag `--use-env-proxy`, by which Node's own clients use proxies, too; without either of them none is used, whatever other
 * variables say. `HTTPS_PROXY` is for servers with TLS, `HTTP_PROXY` for others; in small letters they take precedence. `NO_PROXY` lists hosts, with a
 * port or without, that are reached directly, and what is below them; `*` is all. It knows no ranges of addresses.
 */
export class EnvironmentProxies {
  /** What is wrong with the variables, in sentences without their values. */
  readonly faults: readonly string[];
  readonly #proxies: Readonly<Record<string, ForwardProxy | undefined>>;
  readonly #exemptions: readonly Exemption[];

  constructor(environment: Environment, isFlagGiven = false) {
    const isOn = environment['NODE_USE_ENV_PROXY'] === '1' || isFlagGiven;
    const faults: string[] = [];
    const proxy = (name: string): ForwardProxy | undefined => {
      const text = isOn ? (environment[name.toLowerCase()] || environment[name])?.trim() : '';
      if (text === undefined || text === '') return undefined;
      if (isProxyUrl(text)) return new ForwardProxy(new URL(text));
      faults.push(`${name} must be an http(s) URL of a proxy, without path`);
      return undefined;
    };
    this.#proxies = { 'http:': proxy('HTTP_PROXY'), 'https:': proxy('HTTPS_PROXY') };
    this.#exemptions = (environment['no_proxy'] || environment['NO_PROXY'] || '')
      .split(/[,\s]+/)
      .filter((entry) => entry !== '')
      .map(exemptionOf);
    this.faults = faults;
  }

  static ofProcess(): EnvironmentProxies {
    const flags = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)];
    return new EnvironmentProxies(process.env, flags.includes('--use-env-proxy'));
  }

  /** The proxy for an origin; undefined where it is reached directly. */
  proxyFor(origin: string): ForwardProxy | undefined {
    const { protocol, hostname, port } = new URL(origin);
    const proxy = this.#proxies[protocol];
    if (proxy === undefined) return undefined;
    const actualPort = port || (protocol === 'https:' ? '443' : '80');
    const isExempt = this.#exemptions.some(
      (exemption) =>
        (exemption.port === undefined || exemption.port === actualPort) &&
        (exemption.host === '*' || exemption.host === hostname || hostname.endsWith(`.${exemption.host}`)),
    );
    return isExempt ? undefined : proxy;
  }
}

/** The `*` and the dot before a domain say nothing that the domain alone does not. */
function exemptionOf(entry: string): Exemption {
  const [, host = entry, port] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  const isBareIpv6 = /^[^[]*:.*:/.test(host);
  return { host: (isBareIpv6 ? `[${host}]` : host.replace(/^\*?\.(?=.)/, '')).toLowerCase(), port };
}

/** With `socks5:` a request would have to go another way. */
function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  try {
    // Each by itself: two halves of a character are one together.
    for (const credential of [username, password]) decodeURIComponent(credential);
  } catch {
    return false;
  }
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === '';
}
