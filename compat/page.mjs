import { fileURLToPath } from 'node:url';
import { CELLS, manifest, MCP_CLIENTS, NODES, OLDEST, OLDEST_JEST, OLDEST_NODES, TYPESCRIPTS } from './cells.mjs';
import { RUNNERS } from './runners.mjs';

/** @typedef {import('./workbench.mjs').Result} Result */
/** @typedef {import('./keycloaks.mjs').KeycloakResult} KeycloakResult */

export const PAGE = fileURLToPath(new URL('../docs/compatibility.md', import.meta.url));
export const WRITTEN = /** @type {const} */ ({ parser: 'markdown', printWidth: 120, proseWrap: 'always' });

/** Only npm run compat -- --keycloak writes this part of the page. */
const TABLE = /<!-- keycloak -->\n[^]*?<!-- \/keycloak -->/;

const KINDS = { esm: 'ES modules', cjs: 'CommonJS' };

/**
 * @param {readonly KeycloakResult[]} results
 * @param {Date} at
 */
export function keycloakTable(results, at) {
  const rows = results.map(
    ({ version, passed, failed, skipped }) => `| ${version} | ${passed} | ${failed} | ${skipped} |`,
  );
  return `Tested on ${at.toISOString().slice(0, 10)}:

| Keycloak | tests passed | failed | skipped |
| --- | --- | --- | --- |
${rows.join('\n')}`;
}

/**
 * @param {string} page
 * @param {string} table
 */
export const withKeycloakTable = (page, table) =>
  page.replace(TABLE, () => `<!-- keycloak -->\n\n${table}\n\n<!-- /keycloak -->`);

/**
 * @param {readonly Result[]} results
 * @param {string} before
 * @returns {string}
 */
export function compatibilityPage(results, before) {
  const causes = [...new Set(results.flatMap(({ cause }) => (cause === undefined ? [] : [cause])))];
  const steps = [...new Set(Object.values(RUNNERS).flatMap((runners) => runners.map(({ name }) => name)))];
  const of = (/** @type {string} */ cell, /** @type {string} */ step) =>
    results.filter((one) => one.cell === cell && one.step === step);
  const once = (/** @type {string} */ cell, /** @type {string} */ step) => {
    const [found] = of(cell, step);
    if (found === undefined) return '';
    return found.ok ? 'yes' : 'no';
  };
  const onNodes = (/** @type {string} */ cell, /** @type {string} */ step) => {
    const found = of(cell, step);
    if (found.length === 0) return '';
    const good = found.filter(({ ok }) => ok).map(({ node }) => node);
    const cause = found.find((one) => one.cause !== undefined)?.cause;
    const note = cause === undefined ? '' : ` (${causes.indexOf(cause) + 1})`;
    if (good.length === NODES.length) return `all${note}`;
    return (good.length === 0 ? 'no' : good.join(', ')) + note;
  };
  const head = [
    'Nest, adapter, modules',
    'installs',
    'compiles',
    'with a classic tsconfig',
    'starts',
    'OpenAPI, OpenTelemetry, JWT',
    ...steps,
  ];
  const rows = CELLS.map(({ name, nest, adapter, kind }) => [
    `${nest}, ${adapter === 'express' ? 'Express' : 'Fastify'}, ${KINDS[kind]}`,
    once(name, 'install'),
    once(name, 'tsc'),
    once(name, 'tsc, classic'),
    onNodes(name, 'start'),
    onNodes(name, 'entry points'),
    ...steps.map((step) => onNodes(name, step)),
  ]);
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const typescripts = TYPESCRIPTS.filter((version) => of('typescript', `TypeScript ${version}`)[0]?.ok);
  const isGreen = (/** @type {string} */ cell) =>
    results.some((one) => one.cell === cell) && results.every((one) => one.cell !== cell || one.ok);
  const oldestNests = OLDEST.map((cell) => `${manifest(cell).dependencies['@nestjs/core']} (${KINDS[cell.kind]})`).join(
    ', ',
  );
  const atOthers = results.flatMap(({ cell, step, ok }) => {
    const [, profile, server] = /^(rfc\d+) at (.*)$/.exec(step) ?? [];
    return cell === 'other-servers' && profile !== undefined ? [{ profile, server, ok }] : [];
  });
  const [{ server: other = '' } = {}] = atOthers;
  const profiles = atOthers.filter(({ ok }) => ok).map(({ profile }) => `\`${profile}\``);
  return `# Compatibility

See the versions that the library is tested with. \`npm run compat\` writes this page. For each combination, the command installs the packed
library without flags such as \`--legacy-peer-deps\`, and compiles, starts and tests the application in [\`compat/app\`](../compat/app).

${table}

"All" means the newest of Node ${NODES.join(', ')}. An empty cell was not tried. Each package is the newest of its range. A classic tsconfig
has \`module: commonjs\` and \`moduleResolution: node10\`.

${causes.map((cause, index) => `${index + 1}. ${cause}`).join('\n')}

- Nest ${oldestNests} with the oldest peers, on Node ${OLDEST_NODES.join(' and ')}: ${OLDEST.every(({ name }) => isGreen(name)) ? 'the application works' : 'no'}. Nest 12.0.0 can't be installed without flags. \`@nestjs/swagger\` 11 requires Nest 11.0.1.
- TypeScript: ${typescripts.join(', ')}. Tests of a classic tsconfig use 5.9.
- [\`examples/contexts\`](../examples/contexts) with Nest 11: ${isGreen('contexts') ? 'the example works' : 'no'}. \`npm run examples\` uses Nest 12.
- [\`examples/mcp\`](../examples/mcp) with Nest 11 on Node ${NODES.join(', ')}: ${isGreen('mcp') ? `the example works, also with the MCP inspector ${MCP_CLIENTS.inspector} and the conformance suite ${MCP_CLIENTS.conformance} (\`server-initialize\`, \`ping\`, \`tools-list\`)` : 'no'}. \`npm run examples\` uses Nest 12.
- pnpm 10: ${isGreen('pnpm') && isGreen('pnpm-cjs') ? 'the application works' : 'no'}.
- esbuild: ${isGreen('esbuild') ? 'a bundle starts without `node_modules`' : 'no'}. Use \`--main-fields=module,main\`, and \`--external\` for optional packages of Nest.

## Other servers

The application also works with ${other}, with these [profiles](other-servers.md): ${profiles.join(' and ') || 'none'}.
The test adds a token exchange to this server.

## Jest in CommonJS

The tests use [the presets](testing.md#jest-and-vitest). With ts-jest, they also use the \`transform\` of \`nest new\`. The oldest tested versions
are Jest ${OLDEST_JEST.jest} and ts-jest ${OLDEST_JEST['ts-jest']}.

## Keycloak

\`npm run compat -- --keycloak\` tests contract, chain, attacks, doctor, faults and login with each version.

${TABLE.exec(before)?.[0] ?? '<!-- keycloak -->\n<!-- /keycloak -->'}

Keycloak 26.6 and older differ from 26.7 ([answers](../libs/keycloak-test-servers/contract/answers-26.6.json)):

- Shared Signals (\`--features=ssf\`) are missing, and their tests are skipped. Use the [event log](event-feed.md).
- If an introspection has wrong client credentials, the log has \`answered_401_invalid_request\`, not \`answered_401_invalid_client\`.

Keycloak 26.5 and older also differ ([answers](../libs/keycloak-test-servers/contract/answers-26.5.json)):

- Introspection reports tokens for other audiences, ID tokens and refresh tokens as active. The guard refuses these tokens with
  \`other_audience\` or \`not_an_access_token\`.
- Introspection answers 400 for \`alg: none\`. The guard refuses these tokens (\`token_malformed\`) without introspection.

Keycloak 26.4 also differs ([answers](../libs/keycloak-test-servers/contract/answers-26.4.json)):

- By default, Keycloak saves fewer types of events, and the event of a deletion has no details. Revocation still works.
- Keycloak saves no event if a user ends a session in the account console ([revocation](revocation.md#what-it-does-not-cover)).

Keycloak 26.2 (the oldest with standard token exchange), 26.3 and 26.8 are not tested.
`;
}
