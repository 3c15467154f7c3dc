// The services and the realm that the scripts run, and what each of them is told.
export const REALM = 'microservices';
export const REALM_FILE = 'keycloak/microservices-realm.json';

/** What fills the realm's placeholders, unless the environment says otherwise. Published: for demonstrations only. */
const DEMO_SECRETS = {
  SERVICE_A_CLIENT_SECRET: 'a-secret',
  SERVICE_B_CLIENT_SECRET: 'b-secret',
  SERVICE_C_CLIENT_SECRET: 'c-secret',
  WAREHOUSE_CLIENT_SECRET: 'w-secret',
  SHORT_LIVED_CLIENT_SECRET: 's-secret',
};

/** In the order of starting: who is called first. */
const SERVICES = [
  { name: 'service-c', letter: 'C', defaultPort: 3002, color: 35, calls: [], attacks: [] },
  { name: 'service-b', letter: 'B', defaultPort: 3001, color: 33, calls: ['C'], attacks: ['A'] },
  {
    name: 'service-a',
    letter: 'A',
    defaultPort: 3000,
    color: 36,
    calls: ['B'],
    attacks: ['C'],
    login: true,
    shortLived: true,
  },
];

/** Passed on to every service; nothing else of our environment is. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'TERM',
  'LANG',
  'TZ',
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'NO_COLOR',
  'INTROSPECTION_TTL_SECONDS',
  'SHUTDOWN_DELAY_SECONDS',
  'SESSION_IDLE_SECONDS',
  'SESSION_MAX_SECONDS',
  'MAX_SESSIONS',
  'MAX_SESSIONS_PER_USER',
];

/** DEMO: what Service A seals logins with, unless the environment says otherwise. */
const DEMO_SESSION_SECRET = 'demo-session-secret-that-everybody-knows';

/** The secrets of the clients: from the environment, else the demo ones. */
export function clientSecrets(environment) {
  return Object.fromEntries(Object.entries(DEMO_SECRETS).map(([name, demo]) => [name, environment[name] || demo]));
}

/** The services with the ports they listen on. */
export function services(environment) {
  return SERVICES.map((service) => ({
    ...service,
    port: portOf(environment, `SERVICE_${service.letter}_PORT`, service.defaultPort),
  }));
}

/** A service's whole environment: the addresses of those it calls or attacks, its own secret and nobody else's. */
export function serviceEnvironment(service, { all, keycloak, environment }) {
  const own = `SERVICE_${service.letter}_CLIENT`;
  const urls = [...service.calls, ...service.attacks].map((letter) => {
    const called = all.find((other) => other.letter === letter);
    return [`SERVICE_${letter}_URL`, `http://localhost:${called.port}`];
  });
  return {
    ...Object.fromEntries(PASSED_ON.filter((name) => name in environment).map((name) => [name, environment[name]])),
    NODE_ENV: 'development',
    DEMO_MODE: 'true',
    PORT: String(service.port),
    KEYCLOAK_BASE_URL: keycloak.baseUrl,
    KEYCLOAK_REALM: keycloak.realm,
    KEYCLOAK_ISSUER: keycloak.issuer,
    ...Object.fromEntries(urls),
    [`${own}_ID`]: environment[`${own}_ID`] || service.name,
    [`${own}_SECRET`]: clientSecrets(environment)[`${own}_SECRET`],
    ...(service.login ? loginEnvironment(service, environment) : {}),
    ...(service.shortLived ? { SHORT_LIVED_CLIENT_SECRET: clientSecrets(environment).SHORT_LIVED_CLIENT_SECRET } : {}),
  };
}

/** For a service at which users log in: where browsers reach it, and its secret for that. */
function loginEnvironment({ letter, port }, environment) {
  const secret = `SERVICE_${letter}_SESSION_SECRET`;
  return { PUBLIC_URL: `http://localhost:${port}`, [secret]: environment[secret] || DEMO_SESSION_SECRET };
}

/** Values for the realm file's placeholders. */
export function realmEnvironment(environment, serviceAPort) {
  return (thisMachine) => ({
    ...clientSecrets(environment),
    SERVICE_A_PUBLIC_URL: `http://localhost:${serviceAPort}`,
    SERVICE_A_INTERNAL_URL: `http://${thisMachine}:${serviceAPort}`,
  });
}

/** A TCP port from the environment. */
export function portOf(environment, name, fallback) {
  const port = Number(environment[name] || fallback);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Error(`${name} must be a port number, not ${environment[name]}`);
}
