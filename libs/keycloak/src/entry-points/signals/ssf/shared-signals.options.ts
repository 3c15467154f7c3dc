import { ConfigurationError, ConfigurationFaults } from '../../ports/signals.js';

/** @experimental */
export interface SharedSignalsOptions {
  /**
   * URL of the transmitter's configuration, at the origin of `issuer` or `internalServerUrl`. Default:
   * `/.well-known/ssf-configuration` below the realm, as in Keycloak. SSF 1.0 §7.2 puts the well-known path between
   * host and path of the issuer.
   */
  readonly configurationUrl?: string;
  /** The id of the stream to read, by default the client's only stream, created if necessary. */
  readonly streamId?: string;
  /** Scope tokens for the access token, separated by spaces. Default `ssf.read ssf.manage`. */
  readonly scope?: string;
  /** The required audience of the stream's tokens, by default from the stream's settings. */
  readonly audience?: string;
}

export interface ResolvedSharedSignalsOptions {
  readonly configurationUrl: string | undefined;
  readonly streamId: string | undefined;
  readonly scope: string;
  readonly audience: string | undefined;
}

const SCOPE = 'ssf.read ssf.manage';

/** The format of scope tokens (RFC 6749 §3.3). */
const SCOPE_TOKENS = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

export function resolveSharedSignalsOptions(given: SharedSignalsOptions): ResolvedSharedSignalsOptions {
  const { configurationUrl, streamId, scope = SCOPE, audience, ...others } = Object(given) as SharedSignalsOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (configurationUrl !== undefined && !isPlainUrl(configurationUrl)) {
    faults.fault('configurationUrl must be an http(s) URL without user, query and fragment');
  }
  for (const [name, value] of Object.entries({ streamId, audience })) {
    if (value !== undefined && !(typeof value === 'string' && value.trim() !== '')) {
      faults.fault(`${name} must be a text`);
    }
  }
  if (typeof scope !== 'string' || !SCOPE_TOKENS.test(scope)) {
    faults.fault('scope must consist of scope names, separated by single spaces');
  }
  faults.throwIfFaulty(cantBeUsed);
  return { configurationUrl, streamId, scope, audience };
}

export const cantBeUsed = (faults: readonly string[]): ConfigurationError =>
  new ConfigurationError("sharedSignals() can't be used", faults);

function isPlainUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username + password + search + hash === '';
}
