// Writes docs/compatibility.md from the results of npm run compat.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CELLS, manifest, NODES, OLDEST, OLDEST_NODES, RUNNERS, TYPESCRIPTS } from './cells.mjs';

/** @typedef {import('./run.mjs').Result} Result */
/** @typedef {import('./keycloaks.mjs').KeycloakResult} KeycloakResult */

export const PAGE = fileURLToPath(new URL('../docs/compatibility.md', import.meta.url));
export const WRITTEN = /** @type {const} */ ({ parser: 'markdown', printWidth: 140 });

/** The part of the page that npm run compat -- --keycloak writes. npm run compat writes the rest. */
const TABLE = /<!-- keycloak -->\n[^]*?<!-- \/keycloak -->/;

const KINDS = { esm: 'ES modules', cjs: 'CommonJS' };
const SOURCE = readFileSync(new URL('jest-in-commonjs.mjs', import.meta.url), 'utf8');
const REGION = (/#region ts-jest\n([^]*?)\n *\/\/ #endregion/.exec(SOURCE)?.[1] ?? '').replaceAll(/^ {2}/gm, '');

/**
 * @param {readonly KeycloakResult[]} results
 * @param {Date} at
 */
export function keycloakTable(results, at) {
  const rows = results.map(
    ({ version, passed, failed, skipped }) => `| ${version} | ${passed} | ${failed} | ${skipped} |`,
  );
  return `On ${at.toISOString().slice(0, 10)} it wrote this:

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
 * Copies the Keycloak table from the previous page.
 *
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
    onNodes(name, 'doors'),
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

\`npm run compat\` wrote this page. It packs the library, installs it without flags beside each Nest, adapter and kind of module, and there
compiles, starts and tests the application in [\`compat/app\`](../compat/app): a route that is public, one that is guarded, one that was
forgotten, and one that calls another service on behalf of its caller.

${table}

"All" is Node ${NODES.join(', ')}, the newest of each; an empty cell was not tried. Each package is the newest of its range. The
application calls the other service by \`ServiceClient\` and by \`nestjs-keycloak-s2s/axios\`. With \`nestjs-keycloak-s2s/swagger\`, \`nestjs-keycloak-s2s/opentelemetry\`, \`nestjs-keycloak-s2s/jwt\` and \`nestjs-keycloak-s2s/signals\` it is started, described and asked besides. A classic tsconfig has \`module: commonjs\` and \`moduleResolution: node10\`, as Nest 10 had it.

${causes.map((cause, index) => `${index + 1}. ${cause}`).join('\n')}

- The oldest: Nest ${oldestNests} and the oldest of the other peers, on Node ${OLDEST_NODES.join(' and ')}:
  ${OLDEST.every(({ name }) => isGreen(name)) ? 'each compiles, starts and passes its tests' : 'no'}. Nest 12.0.0 can't be installed without flags, since its parts ask for Nest 11; \`@nestjs/swagger\` 11 asks for Nest 11.0.1.
- TypeScript: ${typescripts.join(', ')} compile it as ES modules. CommonJS with \`module: nodenext\` needs 5.8, which takes
  \`require\` of an ES module; the classic tsconfig is tried with 5.9.
- GraphQL, WebSockets and messages: [\`examples/contexts\`](../examples/contexts) is tried beside Nest 12 by \`npm run examples\`, and here
  beside Nest 11 (Apollo 13, \`nats\`): ${isGreen('contexts') ? 'it compiles, starts and passes its tests' : 'no'}.
- pnpm 10: ${isGreen('pnpm') ? 'installs, compiles, starts and tests it' : 'no'}.
- esbuild: ${isGreen('esbuild') ? 'one file of all starts without `node_modules`' : 'no'}. It takes \`--main-fields=module,main\`, since one dependency
  (\`jsonc-parser\`) can't be bundled as CommonJS, and \`--external\` for what Nest requires only where it is there.

## Other servers

Keycloak is what is promised. With the option \`profile\` the application was tried at ${other}, with a token exchange that is written for the test: a user, a service account, the exchange on behalf of
the user, and the refusal of whom it is not granted to, of an ID token, of a refresh token and of a token for another service. As they must be: ${profiles.join(' and ') || 'none'} ([other servers](other-servers.md)).

## Jest in CommonJS

The library and \`oauth4webapi\` are ES modules. Node requires them as they are; Jest needs to be told to transform them:

[\`jest-in-commonjs.mjs\`](../compat/jest-in-commonjs.mjs):

\`\`\`js #ts-jest
${REGION}
\`\`\`

\`compilerOptions\` are those of your tsconfig: decorators need \`experimentalDecorators\` and \`emitDecoratorMetadata\`. \`esModules\` is
\`nestjs-keycloak-s2s|oauth4webapi\`. With \`@swc/jest\` it is the same pattern. Add to it, between bars,

- \`jose\`, where the doors \`/jwt\` and \`/signals\` are used;
- \`keycloak-test-servers\` and \`jose\`, where that package is;
- \`@nestjs\` beside Nest 12, which consists of ES modules;
- \`[.]pnpm\` with pnpm, below whose \`node_modules/.pnpm\` each package has a \`node_modules\` of its own.

## Keycloak

\`npm run compat -- --keycloak\` runs the contract, the chain, the attacks, doctor, some faults and the login on each of these, from its
distribution.

${TABLE.exec(before)?.[0] ?? '<!-- keycloak -->\n<!-- /keycloak -->'}

What they answer otherwise is in [\`answers-26.4.json\`](../libs/keycloak-test-servers/contract/answers-26.4.json),
[\`answers-26.5.json\`](../libs/keycloak-test-servers/contract/answers-26.5.json) and
[\`answers-26.6.json\`](../libs/keycloak-test-servers/contract/answers-26.6.json). In short:

| Keycloak | what differs from 26.7 | what that means for you |
| --- | --- | --- |
| 26.6 | There are no shared signals (\`--features=ssf\`); its tests are skipped | Revocations can be heard of by the event log alone |
| 26.6 | At introspection it says \`invalid_request\` of wrong credentials, not \`invalid_client\` | The reason in the log is \`answered_401_invalid_request\`; the cure is the same |
| 26.5 | As 26.6; and introspection calls a token active for any client, not only for its audience | A token for another service is refused with \`other_audience\` by the guard itself, not with \`inactive\` by Keycloak |
| 26.5 | It finds ID and refresh tokens active for others, too | The guard refuses them: \`other_audience\` or \`not_an_access_token\` |
| 26.5 | It answers 400 at introspection for \`alg: none\` | The guard refuses such a token before it asks (\`token_malformed\`) |
| 26.5 | A wrong password is 401, not 400, at the token endpoint | Nothing: no service uses that grant |
| 26.4 | As 26.5; by default it saves fewer types of events, and the admin event of a deletion has no representation | Nothing: what ends tokens is told alike |

Keycloak 26.2 is the oldest with standard token exchange; it is not tried. Nor is 26.8, which is not to be had everywhere yet.
`;
}
