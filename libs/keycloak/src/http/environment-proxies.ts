import { ForwardProxy } from './forward-proxy.js';

type Environment = Readonly<Record<string, string | undefined>>;

interface Exemption {
  readonly host: string;
  readonly port: string | undefined;
}

/**
 * The proxies apply only with `NODE_USE_ENV_PROXY=1` or `--use-env-proxy`, as in Node's own clients. Lower-case
 * variable names take precedence. A host name in `NO_PROXY` includes its subdomains, but address ranges are not
 * supported.
 */
export class EnvironmentProxies {
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

function exemptionOf(entry: string): Exemption {
  const [, host = entry, port] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  const isBareIpv6 = /^[^[]*:.*:/.test(host);
  return { host: (isBareIpv6 ? `[${host}]` : host.replace(/^\*?\.(?=.)/, '')).toLowerCase(), port };
}

/** A proxy with `socks5:` is not supported. */
function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  try {
    // Decodes user name and password separately, because two invalid halves could form a valid character together.
    for (const credential of [username, password]) decodeURIComponent(credential);
  } catch {
    return false;
  }
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === '';
}
