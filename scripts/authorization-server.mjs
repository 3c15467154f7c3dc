// The authorization server of npm start and npm test: the one chosen by hand, or the best that this machine has.
import { REALM_FILE } from './services.mjs';

/** What `--authorization-server` takes beside a URL. */
const KINDS = ['embedded', 'keycloak', 'docker', 'distribution'];

/** How long an image or a distribution may take to arrive where there is something to fall back on. */
const FETCH_SECONDS_BEFORE_FALLBACK = 180;

const ANSWERS_WITHIN_MS = 10_000;

const WHAT_IS_MISSED =
  'so the embedded authorization server stands in for it. A real one (install Docker, or Java 17) adds its admin console, ' +
  'passwords that are kept as hashes, and what else docs/embedded-server.md lists.';

/**
 * What is to be used, and who says so: `option` is the value of `--authorization-server`, for which the variable
 * AUTHORIZATION_SERVER stands, and `variable` the name of the one with the address of a server that runs already. By none of
 * them: whatever this machine has, the embedded one at last.
 *
 * @returns `{ kind, by }`, with `baseUrl` for `external`; `kind` is undefined where nothing was chosen.
 * @throws Error that names the values when it is none of them.
 */
export function chooseServer(option, { variable, environment }) {
  if (option !== undefined) return choiceOf(option, '--authorization-server');
  const { AUTHORIZATION_SERVER, [variable]: url } = environment;
  if (AUTHORIZATION_SERVER) return choiceOf(AUTHORIZATION_SERVER, 'AUTHORIZATION_SERVER');
  return url ? external(url, variable) : { kind: undefined, by: undefined };
}

/**
 * Starts what was chosen, or asks for the realm at the one that runs already. What was chosen by hand is used or missed: only
 * where nothing was chosen, and `fallBack` is true, does the embedded one stand in for a Keycloak that can't be had.
 *
 * @param realmEnvironment what fills the realm's placeholders, of the name under which the server reaches this machine.
 * @returns the running server; with `standsIn`, a sentence that says why and what is missed, where it was fallen back on.
 *   An external one is `{ kind: 'external', baseUrl, realm, issuer, stop }`.
 */
export async function startServer(
  choice,
  { realm, realmEnvironment, port, fallBack, say, signal, loadTesting = builtTesting },
) {
  if (choice.kind === 'external') return findServer(choice, { realm, say, signal });
  const testing = await loadTesting();
  const options = { realm: REALM_FILE, environment: realmEnvironment, port, onProgress: say, signal };
  if (choice.kind === 'embedded') return startEmbedded(choice.by);
  const byMachine = choice.kind === undefined && fallBack;
  const using = choice.kind === 'keycloak' ? undefined : choice.kind;
  try {
    return await testing.startKeycloak({
      ...options,
      ...(using === undefined ? {} : { using }),
      ...(byMachine ? { fetchTimeoutSeconds: FETCH_SECONDS_BEFORE_FALLBACK } : {}),
    });
  } catch (error) {
    if (error.name !== 'KeycloakUnavailableError') throw error;
    if (choice.kind !== undefined) throw new Error(`${choice.by}: ${error.message}`, { cause: error });
    if (!byMachine) throw error;
    const why = `No Keycloak can be run here (${error.reasons.join('; ')})`;
    return { ...(await startEmbedded(why)), standsIn: `${why}, ${WHAT_IS_MISSED}` };
  }

  /** It refuses itself in production. */
  function startEmbedded(by) {
    return testing.startAuthorizationServer(options).catch((error) => {
      throw new Error(`${by}: ${error.message}`, { cause: error });
    });
  }
}

/** Only there once it is built. */
function builtTesting() {
  return import('../libs/keycloak-test-servers/dist/index.js');
}

/** What it is, to be told beside a result. */
export function nameOf({ kind, baseUrl, version }) {
  switch (kind) {
    case 'external':
      return `the Keycloak at ${baseUrl}`;
    case 'embedded':
      return `the embedded authorization server, which answers as Keycloak ${version} does but is not Keycloak`;
    default:
      return `Keycloak ${version} ${kind === 'docker' ? 'in Docker' : 'from its distribution'}`;
  }
}

function choiceOf(value, by) {
  if (KINDS.includes(value)) return { kind: value, by: `${by}=${value}` };
  if (/^https?:/.test(value) && URL.canParse(value)) return external(value, by);
  throw new Error(
    `${by} is one of ${KINDS.join(', ')} (keycloak: docker, else distribution), or an http(s) URL; not ${JSON.stringify(value)}`,
  );
}

function external(url, by) {
  return { kind: 'external', baseUrl: url.replace(/\/$/, ''), by };
}

async function findServer({ baseUrl, by }, { realm, say, signal }) {
  const url = `${baseUrl}/realms/${realm}/.well-known/openid-configuration`;
  let discovery;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWERS_WITHIN_MS)]) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    discovery = await response.json();
  } catch (error) {
    const why = error.cause?.message || error.cause?.code || error.message;
    throw new Error(`No Keycloak with the realm ${realm} at ${by}: ${url} (${why})`, { cause: error });
  }
  say(`Using the Keycloak at ${baseUrl}`);
  return { kind: 'external', baseUrl, realm, issuer: discovery.issuer, stop: async () => {} };
}
