import { runsAlready } from '../common/own-options.mjs';
import { portOf, REALM } from './services.mjs';

/** The status with which the embedded server answers for unsupported endpoints. */
const NOT_IMPLEMENTED = 501;

/** @param {NodeJS.ProcessEnv} environment */
export function runningKeycloak(environment) {
  const chosen = environment.AUTHORIZATION_SERVER ?? '';
  const server = runsAlready(chosen) ? chosen : `http://localhost:${portOf(environment, 'KEYCLOAK_PORT', 8080)}`;
  const [, baseUrl = server, realm = REALM] = /^(.*?)(?:\/realms\/([^/]+))?\/*$/.exec(server) ?? [];
  return { baseUrl, realm, issuer: `${baseUrl}/realms/${realm}` };
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} baseUrl
 * @returns {Promise<string>}
 */
export async function administratorToken(environment, baseUrl) {
  if (environment.KEYCLOAK_ADMIN_TOKEN) return environment.KEYCLOAK_ADMIN_TOKEN;
  const username = environment.KC_BOOTSTRAP_ADMIN_USERNAME || 'admin';
  const password = environment.KC_BOOTSTRAP_ADMIN_PASSWORD || 'admin';
  const body = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username, password });
  const answer = await send(`${baseUrl}/realms/master/protocol/openid-connect/token`, { method: 'POST', body });
  if (answer.ok) return /** @type {any} */ (await answer.json()).access_token;
  throw new Error(
    `${baseUrl} refuses the administrator ${username} with this password (${answer.status}): set KC_BOOTSTRAP_ADMIN_USERNAME and KC_BOOTSTRAP_ADMIN_PASSWORD, or give a token in KEYCLOAK_ADMIN_TOKEN`,
  );
}

/** @param {NodeJS.ProcessEnv} environment */
export async function administratorOf(environment) {
  const { baseUrl, realm } = runningKeycloak(environment);
  const authorization = `Bearer ${await administratorToken(environment, baseUrl)}`;
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  const ask = async (method, path, body) => {
    const url = `${baseUrl}/admin/realms${path}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await send(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (answer.status === NOT_IMPLEMENTED) {
      throw new Error(
        `${baseUrl} is the embedded server, but this command needs a real Keycloak (npm run start:keycloak)`,
      );
    }
    if (!answer.ok) throw new Error(`${method} ${url} answers ${answer.status}`);
    return answer;
  };
  return {
    /** @type {import('../faults/realm-faults.mjs').Administrator['read']} */
    read: async (path) => (await ask('GET', `/${realm}${path}`)).json(),
    /** @type {import('../faults/realm-faults.mjs').Administrator['change']} */
    change: (method, path, body) => ask(method, `/${realm}${path}`, body),
    createRealm: (/** @type {object} */ representation) => ask('POST', '', representation),
  };
}

/**
 * @param {string} url
 * @param {RequestInit} init
 */
const send = (url, init) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(30_000) }).catch((error) => {
    const why = `${url} did not answer (${error.cause?.code ?? error.message})`;
    throw new Error(
      `${why}. Start the stack first, in another terminal: npm start, npm run start:keycloak or docker compose up --build`,
    );
  });
