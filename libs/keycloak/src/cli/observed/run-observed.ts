import { parseArgs, type ParseArgsConfig } from 'node:util';
import { trustedAuthorities } from '../../options/tls.options.js';
import { isB64Token } from '../../protocol/b64token.js';
import { ConfigurationFaults } from '../../protocol/configuration-faults.js';
import { givenSecret } from '../given-secrets.js';
import { COULD_NOT_RUN, stackOf, type Surroundings } from '../surroundings.js';
import { UsageError } from '../usage-error.js';
import { jsonReport, textReport } from './observed-report.js';
import { readDetails, type DetailsAccess, type ReadDetails } from './read-details.js';

export const OBSERVED_USAGE = `Usage: nestjs-keycloak-s2s observed [flags] URL…

Reads the health details of services with enforcement: 'observe', and prints the calls that each
would refuse. Each URL answers for one process, since its start, such as
https://orders-1.internal/health/details. Name every replica.

  --token-file FILE          an access token for the details, sent to each URL; or OBSERVED_ACCESS_TOKEN;
                             - reads standard input
  --ca-file FILE             certificates of the authorities that are trusted for the services, in PEM
  --allow-insecure-requests  accepts http:
  --json                     prints JSON
  --help                     prints this

Exit codes: 0 no call would be refused, 1 calls or the start would be refused, or calls were not judged,
3 a URL could not be read.
`;

const OPTIONS = {
  'token-file': { type: 'string' },
  'ca-file': { type: 'string' },
  'allow-insecure-requests': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

const REFUSES = 1;

export async function runObserved(
  args: readonly string[],
  { environment, print, printError }: Omit<Surroundings, 'hasColors'>,
): Promise<number> {
  try {
    const { values: flags, positionals: urls } = parse(args);
    if (flags.help === true) {
      print(OBSERVED_USAGE);
      return 0;
    }
    checkUrls(urls, flags['allow-insecure-requests'] === true);
    const access = { token: tokenOf(environment, flags['token-file']), tls: authorities(flags['ca-file']) };
    const read = await Promise.all(urls.map((url) => readDetails(url, access)));
    print(`${flags.json === true ? jsonReport(read) : textReport(read)}\n`);
    return exitCodeOf(read);
  } catch (failure) {
    printError(failure instanceof UsageError ? `observed: ${failure.message}\n` : `${stackOf(failure)}\n`);
    return COULD_NOT_RUN;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (failure) {
    throw new UsageError(`${(failure as Error).message}\n\n${OBSERVED_USAGE}`);
  }
}

function checkUrls(urls: readonly string[], isInsecureAllowed: boolean): void {
  if (urls.length === 0) throw new UsageError(`no URL is given\n\n${OBSERVED_USAGE}`);
  for (const given of urls) {
    const { protocol, username, password } = URL.canParse(given) ? new URL(given) : NO_URL;
    if (protocol === 'http:' && !isInsecureAllowed) {
      throw new UsageError('each URL must be https:, because http: needs --allow-insecure-requests');
    }
    if (!['http:', 'https:'].includes(protocol) || username + password !== '') {
      throw new UsageError('each URL must be an http(s) URL without credentials');
    }
  }
}

const NO_URL = { protocol: '', username: '', password: '' };

function tokenOf(environment: Surroundings['environment'], file: string | undefined): string | undefined {
  const token = givenSecret(environment, 'OBSERVED_ACCESS_TOKEN', file);
  if (token === undefined || isB64Token(token)) return token;
  throw new UsageError('the access token is malformed');
}

function authorities(caFile: string | undefined): DetailsAccess['tls'] {
  const faults = new ConfigurationFaults();
  const tls = trustedAuthorities('tls', { caFile }, { faults, allowInsecureRequests: false });
  if (faults.all.length > 0) throw new UsageError(faults.all.join(', '));
  return tls;
}

function exitCodeOf(read: readonly ReadDetails[]): number {
  if (read.some((one) => 'unread' in one)) return COULD_NOT_RUN;
  return read.some((one) => 'enforcement' in one && isRefusing(one.enforcement)) ? REFUSES : 0;
}

type Read = Extract<ReadDetails, { readonly enforcement: unknown }>['enforcement'];

/** Also returns true if the service has admitted no call, because only checked calls show that enforcement is safe. */
function isRefusing(status: Read): boolean {
  if (status.mode === 'enforce') return false;
  const { admitted, refused, failed, dropped } = status.calls;
  const unjudged = Object.values(failed).reduce((one, other) => one + other, dropped);
  return refused > 0 || admitted === 0 || unjudged > 0 || status.startFaults.length > 0;
}
