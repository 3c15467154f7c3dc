import { kubernetesEdits } from './kubernetes.mjs';
import { addToPermissions, addToRealm } from './realm.mjs';
import { insertAfter, insertAfterLast, replace } from './text-edits.mjs';

/** @typedef {import('./names.mjs').Names} Names */

/**
 * @param {Names} names
 * @param {string} wiring the file with the settings of the caller
 * @returns {Record<string, (text: string) => string>}
 */
export function editsFor(names, wiring) {
  const { name, caller } = names;
  const module = `apps/${caller}/src/${caller}.module.ts`;
  const settings = (/** @type {string} */ text) => addCall(text, names);
  const provider = (/** @type {string} */ text) => addProvider(text, names);
  return {
    'services.json': (text) => addToDescription(text, names),
    'tsconfig.json': (text) => addReference(text, name),
    'tsconfig.spec.json': (text) => addReference(text, name),
    'docker-compose.yml': (text) => addToCompose(text, names),
    'compose.replicas.yml': (text) => addToReplicas(text, names),
    'deploy/haproxy/compose.cfg': (text) => addToBalancer(text, names),
    'deploy/valkey/users.acl': (text) => addValkeyUser(text, name),
    'deploy/observability/prometheus.yml': (text) =>
      replace(text, /, signal-poller\]/, () => `, ${name}, signal-poller]`),
    'keycloak/microservices-realm.json': (text) => addToRealm(text, names),
    'keycloak/keycloak-permissions.json': (text) => addToPermissions(text, names),
    'keycloak/README.md': (text) => addToTables(text, names),
    ...kubernetesEdits(names),
    [wiring]: settings,
    [module]: wiring === module ? (text) => provider(settings(text)) : provider,
  };
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addToDescription(text, { name, caller, port, demoSecret }) {
  const description = JSON.parse(text);
  description.services[caller].calls.push(name);
  description.services[name] = { port: Number(port), demoSecret, calls: [] };
  return JSON.stringify(description);
}

/**
 * @param {string} text
 * @param {string} name
 */
function addReference(text, name) {
  const config = JSON.parse(text);
  config.references.push({ path: `apps/${name}/tsconfig.app.json` });
  return JSON.stringify(config);
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addToCompose(text, { name, prefix, port, demoSecret, caller, callerPrefix }) {
  const secret = `${prefix}_CLIENT_SECRET: \${${prefix}_CLIENT_SECRET:-${demoSecret}}`;
  const block = `
  ${name}:
    <<: *service
    build: { context: ., args: { SERVICE: ${name} } }
    environment:
      <<: *service-environment
      PORT: ${port}
      ${secret} # DEMO
      SHARED_STATE_KEYS: \${${prefix}_SHARED_STATE_KEYS:-}
      RESOURCE_URL: \${${prefix}_RESOURCE_URL:-}
    ports: ['127.0.0.1:\${${prefix}_PORT:-${port}}:${port}']
    depends_on:
      keycloak: { condition: service_healthy }
`;
  const url = `      ${prefix}_URL: http://${name}:${port}\n`;
  const started = `      ${name}: { condition: service_started }\n`;
  const ofCaller = new RegExp(`^ {6}${callerPrefix}_CLIENT_SECRET: .*\\n`, 'm');
  const [keycloak = '', others = ''] = split(text, '\n\n  service-');
  const given = insertAfterLast(`${keycloak}\n`, /^ {6}SERVICE_\w+_CLIENT_SECRET: .*\n/gm, `      ${secret}\n`);
  const [before = '', after = ''] = split(`${given}\n  service-${others}`, `\n  ${caller}:\n`);
  const withUrl = insertAfter(after, ofCaller, url);
  const following = insertAfter(withUrl, /^ {6}keycloak: \{ condition: service_healthy \}\n/m, started);
  return `${before}${block}\n  ${caller}:\n${following}`;
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addToReplicas(text, { name, prefix, Class, port, caller, callerPrefix }) {
  // A key of 32 bytes has 43 characters in base64.
  const key = `${`DEMO/published/${Class}/sealsNothingAtAll`.padEnd(42, '0').slice(0, 42)}A=`;
  const block = `
  ${name}:
    deploy: { replicas: 3 }
    ports: !reset []
    environment:
      <<: *shared
      SHARED_STATE_URL: valkey://${name}:DEMO-published-${name}@valkey:6379 # DEMO
      SHARED_ANSWERS_URL: valkey://${name}:DEMO-published-${name}@valkey:6379/1 # DEMO
      SHARED_STATE_KEYS: \${${prefix}_SHARED_STATE_KEYS:-${key}} # DEMO
    depends_on:
      valkey: { condition: service_healthy }
`;
  const [before = '', after = ''] = split(text, `\n  ${caller}:\n`);
  const ofCaller = new RegExp(`^ {6}SHARED_STATE_KEYS: .*${callerPrefix}_SHARED_STATE_KEYS.*\\n`, 'm');
  const withUrl = insertAfter(after, ofCaller, `      ${prefix}_URL: http://haproxy:${port}\n`);
  const published = `      - '127.0.0.1:\${${prefix}_PORT:-${port}}:${port}'\n`;
  return insertAfterLast(`${before}${block}\n  ${caller}:\n${withUrl}`, /^ {6}- '127\.0\.0\.1:.*\n/gm, published);
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addToBalancer(text, { name, port }) {
  const section = `listen ${name}
  bind :${port}
  http-request set-header Host ${name}:${port} if { req.hdr(Host),field(1,:) haproxy }
  server-template replica 10 ${name}:${port} resolvers docker resolve-prefer ipv4 init-addr none

`;
  const [before = '', after = ''] = split(text, '# For the health check');
  return insertAfterLast(
    `${before}${section}# For the health check${after}`,
    /^ {2}monitor fail .*\n/gm,
    `  monitor fail if { nbsrv(${name}) 0 }\n`,
  );
}

/**
 * Copies the Valkey rights of service-c, since the rights of service-a also give access to sessions.
 *
 * @param {string} text
 * @param {string} name
 */
function addValkeyUser(text, name) {
  const [like = ''] = /^user service-c .*\n/m.exec(text) ?? [];
  return insertAfterLast(text, /^user service-.*\n/gm, like.replaceAll('service-c', name));
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addToTables(text, { name, permission, role, caller }) {
  const permitted = `| \`${permission}\` | \`${name}\` | \`${role}\` | \`${caller}\` | \`${caller}\` |\n`;
  const ofOperator = `| \`${name}.health\` | \`${name}\` | \`operator\` | \`operator\` | \`operator\` |\n`;
  const asking = new RegExp(`^(\\| \`${caller}\` +\\| confidential \\| )(?!own name)`, 'm');
  const withAsking = text.replace(asking, '$1own name (client credentials), ');
  const withPermission = insertAfterLast(withAsking, /^\| `[a-z-]+\.[a-z]+` .*\n/gm, permitted + ofOperator);
  const client = `| \`${name}\` | confidential | introspection | 300 s |\n`;
  return insertAfterLast(withPermission, /^\| `service-[a-z]+` .*\n/gm, client);
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addCall(text, { name, permission }) {
  // Edits the first `calls`, since later `calls` are for demo mode.
  return replace(text, /calls: \{((?:[^{}]|\{[^}]*\})*)\}/, (_, calls) => {
    const before = calls.trim().replace(/,$/, '');
    return `calls: { ${before === '' ? '' : `${before}, `}'${name}': { asService: ['${permission}'] } }`;
  });
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addProvider(text, { name, Class }) {
  const line = `import { ${Class}Client } from './${name}.client.js';\n`;
  const imported = insertAfterLast(text, /^import .*\n/gm, line);
  return imported.includes('  providers: [')
    ? imported.replace('  providers: [', `  providers: [${Class}Client, `)
    : replace(
        imported,
        /^( {2}controllers: \[[^\]]*\],\n)/m,
        (_, controllers) => `${controllers}  providers: [${Class}Client],\n`,
      );
}

/**
 * @param {string} text
 * @param {string} separator
 */
function split(text, separator) {
  const at = text.indexOf(separator);
  if (at < 0) throw new Error(`${separator.trim()} is missing in: ${text.slice(0, 60)} …`);
  return [text.slice(0, at), text.slice(at + separator.length)];
}
