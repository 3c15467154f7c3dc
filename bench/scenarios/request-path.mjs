import { keycloakEnvironment } from '../measure/environment.mjs';
import { passwordToken } from '../measure/keycloak.mjs';
import { figure } from '../report.mjs';

export const name = 'request-path';
export const title = "the library's files and functions in a warm request";
export const counts = true;

const LIMITS = { guarded: { files: 15, functions: 40 }, onBehalfOf: { files: 35, functions: 90 } };

export async function run({ keycloak, start, say }) {
  const upstream = await start('upstream', ['bench/servers/upstream.mjs'], { aside: true });
  const env = {
    ...keycloakEnvironment(keycloak, 'service-a'),
    UPSTREAM_URL: upstream.url,
    TOKEN: await passwordToken(keycloak),
  };
  const server = await start('request path', ['bench/servers/request-path.mjs'], { env });
  const figures = [];
  for (const [route, limits] of Object.entries(LIMITS)) {
    const functionsOf = await server.ask(route);
    for (const [file, functions] of Object.entries(functionsOf)) say(`${route}: ${file}: ${functions.join(', ')}`);
    const counted = {
      files: Object.keys(functionsOf).length,
      functions: Object.values(functionsOf).flat().length,
    };
    for (const [unit, limit] of Object.entries(limits)) {
      figures.push(figure(`${route}: ${unit} of the library`, [counted[unit]], { must: { atMost: limit } }));
    }
  }
  return figures;
}
