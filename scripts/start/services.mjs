import { readFileSync } from 'node:fs';

export const REALM = 'microservices';
export const REALM_FILE = 'keycloak/microservices-realm.json';

/**
 * @typedef {object} Service
 * @property {number} port
 * @property {string} demoSecret published, for demonstrations only
 * @property {string[]} calls service names
 * @property {string[]} [attacks] services that receive a token for another audience; demo mode only
 * @property {string[]} [isAlso] additional clients of the service; demo mode only
 * @property {boolean} [login] whether users log in at the service
 * @property {boolean} [signals] whether the service can poll for revocations
 */

/** @typedef {Service & { name: string, prefix: string, letter: string, color: number }} NamedService */

/**
 * The realm file contains the clients of `otherClients`, and the demonstration adds the clients of `addedClients`.
 *
 * @type {{ services: Record<string, Service>, otherClients: Record<string, Pick<Service, 'demoSecret'>>, addedClients: Record<string, Pick<Service, 'demoSecret'>>, poller: { name: 'signal-poller', port: number } }}
 */
export const DESCRIPTION = JSON.parse(readFileSync(new URL('../../services.json', import.meta.url), 'utf8'));

export const prefixOf = (/** @type {string} */ client) => client.toUpperCase().replaceAll('-', '_');

const COLORS = [36, 33, 35, 32, 34, 31];
const DIM = 2;

/** The variables that a service inherits from this process. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'TERM',
  'LANG',
  'TZ',
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_ENV_PROXY',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NO_COLOR',
  'KEYCLOAK_CA_FILE',
  'SERVICES_CA_FILE',
  'KEYCLOAK_TIMEOUT_MS',
  'INTROSPECTION_TTL_SECONDS',
  'INTROSPECTION_STALE_IF_ERROR_SECONDS',
  'TOKEN_VERIFICATION',
  'OPENAPI',
  'REQUEST_LOG',
  'REQUEST_LOG_SUBJECT',
  'SERVICE_VERSION',
  'SHUTDOWN_DELAY_SECONDS',
  'SHARED_STATE_URL',
  'SHARED_STATE_CA_FILE',
  'SHARED_DENIAL_KEYS',
  'SIGNAL_PROOF_PUBLIC_KEYS',
  'SHARED_ANSWERS_URL',
  'SESSION_IDLE_SECONDS',
  'SESSION_MAX_SECONDS',
  'MAX_SESSIONS',
  'MAX_SESSIONS_PER_USER',
  'LOGIN_ACR_VALUES',
  'SIGNALS_POLL_SECONDS',
  'DEMO_ORDER_TOOLS',
];

const PASSED_ON_AS_WELL = /^OTEL_/;

/** DEMO: Service A's session secret, unless the environment sets this secret. */
const DEMO_SESSION_SECRET = 'demo-session-secret-that-everybody-knows';

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Record<string, string>}
 */
export function clientSecrets(environment) {
  const clients = Object.entries({ ...DESCRIPTION.services, ...DESCRIPTION.otherClients, ...DESCRIPTION.addedClients });
  return Object.fromEntries(
    clients.map(([client, { demoSecret }]) => {
      const name = `${prefixOf(client)}_CLIENT_SECRET`;
      return [name, environment[name] || demoSecret];
    }),
  );
}

/**
 * Returns each called service before the service that calls it.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NamedService[]}
 */
export function services(environment) {
  return Object.entries(DESCRIPTION.services)
    .map(([name, service], index) => {
      const prefix = prefixOf(name);
      const port = portOf(environment, `${prefix}_PORT`, service.port);
      const letter = prefix.replace(/^SERVICE_/, '');
      return { ...service, name, prefix, letter, port, color: COLORS[index % COLORS.length] ?? 0 };
    })
    .toReversed();
}

/**
 * @param {readonly NamedService[]} all
 * @param {string | undefined} only
 */
export function servicesAsked(all, only) {
  if (only === undefined) return all;
  const names = only.split(',').filter((name) => name !== 'none');
  const unknown = names.find((name) => !all.some((service) => service.name === name));
  if (unknown === undefined) return all.filter(({ name }) => names.includes(name));
  throw new Error(
    `--only must be none or a list of ${all.map(({ name }) => name).join(', ')}, not ${unknown || 'nothing'}.`,
  );
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NamedService}
 */
export function poller(environment) {
  const { name, port } = DESCRIPTION.poller;
  const { demoSecret } = /** @type {Pick<Service, 'demoSecret'>} */ (DESCRIPTION.otherClients[name]);
  const own = { name, demoSecret, calls: [], prefix: prefixOf(name), letter: '', color: DIM };
  return { ...own, port: portOf(environment, `${own.prefix}_PORT`, port), signals: true };
}

/**
 * Contains only the secrets of this service.
 *
 * @param {NamedService} service
 * @param {{ all: readonly NamedService[], keycloak: { baseUrl: string, realm: string, issuer: string }, environment: NodeJS.ProcessEnv }} context
 * @returns {NodeJS.ProcessEnv}
 */
export function serviceEnvironment(service, { all, keycloak, environment }) {
  const secrets = clientSecrets(environment);
  const urls = [...service.calls, ...(service.attacks ?? [])].map((name) => {
    const called = all.find((other) => other.name === name);
    if (called === undefined) throw new Error(`services.json has no ${name}`);
    return [`${called.prefix}_URL`, `http://localhost:${called.port}`];
  });
  const own = [service.name, ...(service.isAlso ?? [])].map((client) => `${prefixOf(client)}_CLIENT_SECRET`);
  const shared = ['SHARED_STATE_KEYS', 'SHARED_STATE_URL', 'SHARED_ANSWERS_URL'].flatMap((variable) => {
    const value = environment[`${service.prefix}_${variable}`];
    return value ? [[variable, value]] : [];
  });
  const resourceUrl = environment[`${service.prefix}_RESOURCE_URL`];
  const otherIssuers = environment[`${service.prefix}_OTHER_ISSUERS_FILE`];
  const managementPort = environment[`${service.prefix}_MANAGEMENT_PORT`];
  return {
    ...Object.fromEntries(
      Object.entries(environment).filter(([name]) => PASSED_ON.includes(name) || PASSED_ON_AS_WELL.test(name)),
    ),
    NODE_ENV: 'development',
    DEMO_MODE: 'true',
    PORT: String(service.port),
    KEYCLOAK_BASE_URL: keycloak.baseUrl,
    KEYCLOAK_REALM: keycloak.realm,
    KEYCLOAK_ISSUER: keycloak.issuer,
    ...Object.fromEntries(urls),
    [`${service.prefix}_CLIENT_ID`]: environment[`${service.prefix}_CLIENT_ID`] || service.name,
    ...Object.fromEntries(own.map((name) => [name, secrets[name]])),
    ...Object.fromEntries(shared),
    ...(resourceUrl ? { RESOURCE_URL: resourceUrl } : {}),
    ...(otherIssuers ? { OTHER_ISSUERS_FILE: otherIssuers } : {}),
    ...(managementPort ? { MANAGEMENT_PORT: managementPort } : {}),
    ...(service.login ? loginEnvironment(service, environment) : {}),
    ...signalsEnvironment(service, environment, secrets),
  };
}

/**
 * @param {NamedService} service
 * @param {NodeJS.ProcessEnv} environment
 * @param {Record<string, string>} secrets
 */
function signalsEnvironment({ prefix, signals = false }, environment, secrets) {
  const { SIGNAL_SOURCES: sources = '', SIGNALS_CLIENT_ID: clientId } = environment;
  const channel = environment[`${prefix}_SHARED_STATE_URL`] || environment.SHARED_STATE_URL;
  const proofKey = 'SIGNAL_PROOF_PRIVATE_KEY';
  const ttl = 'INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS';
  const listens = signals && !['', 'none'].includes(sources);
  const secret = `${prefixOf(DESCRIPTION.poller.name)}_CLIENT_SECRET`;
  return {
    ...((listens || channel) && environment[ttl] ? { [ttl]: environment[ttl] } : {}),
    ...(signals && sources ? { SIGNAL_SOURCES: sources } : {}),
    ...(listens && environment[proofKey] ? { [proofKey]: environment[proofKey] } : {}),
    ...(listens ? { [secret]: secrets[secret], ...(clientId ? { SIGNALS_CLIENT_ID: clientId } : {}) } : {}),
  };
}

/**
 * @param {NamedService} service
 * @param {NodeJS.ProcessEnv} environment
 */
function loginEnvironment({ prefix, port }, environment) {
  const secret = `${prefix}_SESSION_SECRET`;
  return { PUBLIC_URL: `http://localhost:${port}`, [secret]: environment[secret] || DEMO_SESSION_SECRET };
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @param {number} serviceAPort
 */
export function realmEnvironment(environment, serviceAPort) {
  const switches = ['SIGNALS_EVENTS', 'SIGNALS_SSF'].filter((name) => environment[name]);
  return (/** @type {string} */ thisMachine) => ({
    ...clientSecrets(environment),
    ...Object.fromEntries(switches.map((name) => [name, String(environment[name])])),
    // DEMO: the client demo-helpdesk may manage users, so the realm disables this client by default.
    DEMO_HELPDESK_ENABLED: 'true',
    SERVICE_A_PUBLIC_URL: `http://localhost:${serviceAPort}`,
    SERVICE_A_INTERNAL_URL: `http://${thisMachine}:${serviceAPort}`,
  });
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} name
 * @param {number} fallback
 */
export function portOf(environment, name, fallback) {
  const port = Number(environment[name] || fallback);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Error(`${name} must be a port number, not ${environment[name]}`);
}

/** @param {readonly { who: string, variable: string, port: number }[]} needed */
export const sharedPorts = (needed) =>
  needed.flatMap(({ who, variable, port }, at) => {
    const other = needed.slice(0, at).find((before) => before.port === port);
    return other === undefined
      ? []
      : [`${other.who} and ${who} can't both have port ${port}: set ${other.variable} or ${variable}.`];
  });
