import { paint } from '../common/processes.mjs';
import { DESCRIPTION } from './services.mjs';

/** @typedef {import('keycloak-test-servers').RunningServer} Server */
/** @typedef {{ count: number, children: readonly { name: string, pid?: number | undefined }[] }} Replicas */

/**
 * @param {number} portOfA
 * @param {Server} server
 * @param {number} serverPort where other scripts look for the server
 * @param {Replicas} [replicas]
 */
export function showWhatToTry(portOfA, server, serverPort, replicas) {
  const a = `localhost:${portOfA}`;
  // Names the server, because other scripts do not know this script's options.
  const choice = server.baseUrl === `http://localhost:${serverPort}` ? '' : `AUTHORIZATION_SERVER=${server.baseUrl} `;
  console.log(`
${paint(1, replicas === undefined ? 'All services are ready.' : `${replicas.count} replicas of each service are ready.`)}

  Start page:                 http://${a} (log in there as alice / alice, or as bob / bob)
  Service A as itself:        curl ${a}/run-service-b
  As alice, a manager (bob, who may only view, is refused):
    TOKEN=$(curl -s ${server.issuer}/protocol/openid-connect/token \\
      -d grant_type=password -d client_id=demo-cli -d username=alice -d password=alice \\
      -d 'scope=openid orders.read' | node -p 'JSON.parse(fs.readFileSync(0)).access_token')
    curl -H "Authorization: Bearer $TOKEN" ${a}/run-service-b
  Every step of the call:     ${choice}npm run tour
  ${aboutServer(server)}${replicas === undefined ? '' : aboutReplicas(replicas)}

Ctrl-C stops everything.
`);
}

/**
 * @param {Server} server
 * @param {readonly { name: string, port: number }[]} places
 */
export function showPlaces(server, places) {
  const lines = places.map(({ name, port }) => `  ${`${name}:`.padEnd(28)}http://localhost:${port}`);
  console.log(
    `\n${paint(1, 'Ready.')}\n\n${[...lines, `  ${aboutServer(server)}`].join('\n')}\n\nCtrl-C stops everything.\n`,
  );
}

/** @param {Server} server */
function aboutServer({ kind, baseUrl, adminUsername, adminPassword }) {
  if (kind === 'embedded') {
    return `Authorization server:       ${baseUrl}, the embedded server, which answers as Keycloak does. The real one: npm run start:keycloak`;
  }
  const administrator = kind === 'external' ? '' : ` (${adminUsername} / ${adminPassword})`;
  return `Keycloak's console:         ${baseUrl}/admin${administrator}`;
}

/** @param {Replicas} replicas */
function aboutReplicas({ children }) {
  const [one] = children;
  const listener = children.find(({ name }) => name === DESCRIPTION.poller.name);
  const ofPoller =
    listener &&
    `
  Receives revocations:       ${listener.name}, for all of them; kill -9 ${listener.pid} ends it, and it is started again`;
  return `${ofPoller ?? ''}
  The balancer:               HAProxy takes each request, from browsers and services, to the next replica that is ready
  To end one of them:         kill -9 ${one?.pid} (${one?.name}, which is started again)`;
}
