// npm run new-service -- service-d --called-by service-c writes a service with one guarded route, and configures its
// caller.
import '../common/help.mjs';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { editsFor } from './edits.mjs';
import { freePort, packageNames } from './free.mjs';
import { namesOf, SERVICE_NAME } from './names.mjs';
import { DESCRIPTION } from '../start/services.mjs';

/** @typedef {import('./names.mjs').Names} Names */

const TEMPLATES = join(import.meta.dirname, 'templates');
const NEEDED = ['@nestjs/common', 'nestjs-keycloak-s2s', 'reflect-metadata', 'rxjs', 'service-defaults'];

process.chdir(join(import.meta.dirname, '../..'));
try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main() {
  const names = readArguments(process.argv.slice(2));
  const added = await newFiles(names);
  const present = Object.keys(added).filter((path) => existsSync(path));
  if (present.length > 0) throw new Error(`${present.join(', ')} would be overwritten, so nothing was written.`);
  const changed = await changedFiles(names);
  for (const [path, text] of Object.entries({ ...added, ...changed })) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  const formatted = [...Object.keys(added), ...Object.keys(changed)].filter((path) => !path.endsWith('realm.json'));
  run('node_modules/prettier/bin/prettier.cjs', ['--write', '--ignore-unknown', '--log-level=warn', ...formatted]);
  lockWorkspace();
  report(names, Object.keys(added), [...Object.keys(changed), 'package-lock.json']);
}

/**
 * @param {string[]} args
 * @returns {Names}
 */
function readArguments(args) {
  const usage = 'npm run new-service -- service-d --called-by service-c';
  const { values, positionals } = parsed(args, usage);
  const [name, ...rest] = positionals;
  const caller = values['called-by'];
  const services = Object.keys(DESCRIPTION.services);
  if (name === undefined || rest.length > 0) throw new Error(`Give the name of one service: ${usage}`);
  if (!SERVICE_NAME.test(name)) throw new Error(`A service must be named service-<letters>, not "${name}": ${usage}`);
  if (services.includes(name)) throw new Error(`${name} already exists.`);
  if (packageNames().includes(name)) {
    throw new Error(`This repository already has a package ${name}: choose another name.`);
  }
  if (caller === undefined || !services.includes(caller)) {
    throw new Error(`--called-by must name the calling service: ${services.join(', ')}.`);
  }
  const names = namesOf(name, caller, freePort(DESCRIPTION, readFileSync('docker-compose.yml', 'utf8')));
  const secrets = Object.values({ ...DESCRIPTION.services, ...DESCRIPTION.otherClients, ...DESCRIPTION.addedClients });
  if (secrets.some(({ demoSecret }) => demoSecret === names.demoSecret)) {
    throw new Error(
      `Another client already has the demo secret ${names.demoSecret}: choose another name than ${name}.`,
    );
  }
  return names;
}

/**
 * @param {string[]} args
 * @param {string} usage
 */
function parsed(args, usage) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { 'called-by': { type: 'string' } } });
  } catch {
    throw new Error(`The command accepts only the name of a service and --called-by: ${usage}`);
  }
}

/**
 * @param {Names} names
 * @returns {Promise<Record<string, string>>}
 */
async function newFiles(names) {
  const { name, caller } = names;
  const fill = async (/** @type {string} */ template) =>
    (await readFile(join(TEMPLATES, template), 'utf8')).replace(/\{\{(\w+)\}\}/g, (_, key) => {
      return names[/** @type {keyof Names} */ (key)];
    });
  return {
    [`apps/${name}/package.json`]: await manifest(names),
    [`apps/${name}/tsconfig.app.json`]: await fill('tsconfig.app.json.txt'),
    [`apps/${name}/src/main.ts`]: await fill('main.ts.txt'),
    [`apps/${name}/src/${name}.module.ts`]: await fill('module.ts.txt'),
    [`apps/${name}/src/${name}.module.spec.ts`]: await fill('module.spec.ts.txt'),
    [`apps/${name}/src/greeting/greeting.controller.ts`]: await fill('greeting.controller.ts.txt'),
    [`apps/${caller}/src/${name}.client.ts`]: await fill('client.ts.txt'),
    [`test/chain/${name}.e2e-spec.ts`]: await fill('e2e-spec.ts.txt'),
    [`deploy/kubernetes/base/${name}.yaml`]: await fill('kubernetes.yaml.txt'),
    [`deploy/kubernetes/base/network-policies/${name}.yaml`]: await fill('network-policy.yaml.txt'),
  };
}

/** @param {Names} names */
async function manifest({ name, caller }) {
  const its = JSON.parse(await readFile(`apps/${caller}/package.json`, 'utf8'));
  const dependencies = Object.fromEntries(NEEDED.map((needed) => [needed, its.dependencies[needed]]));
  return JSON.stringify({ ...its, name, dependencies });
}

/**
 * @param {Names} names
 * @returns {Promise<Record<string, string>>}
 */
async function changedFiles(names) {
  const folder = `apps/${names.caller}/src`;
  const config = `${folder}/config.ts`;
  const edits = editsFor(names, existsSync(config) ? config : `${folder}/${names.caller}.module.ts`);
  const texts = Object.entries(edits).map(async ([path, edit]) => [path, edit(await readFile(path, 'utf8'))]);
  return Object.fromEntries(await Promise.all(texts));
}

/** The update works offline, since the new package needs no new dependency. */
function lockWorkspace() {
  const options = ['--package-lock-only', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  const { status } = spawnSync('npm', ['install', ...options], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('npm could not add it to package-lock.json: run `npm install`.');
}

/**
 * @param {string} script
 * @param {string[]} args
 */
function run(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${script} failed`);
}

/**
 * @param {Names} names
 * @param {string[]} added
 * @param {string[]} changed
 */
function report({ name, Title, Class, CallerTitle, caller, permission, role, port }, added, changed) {
  const list = (/** @type {string[]} */ paths) => paths.map((path) => `  ${path}`).join('\n');
  console.log(`${Title} listens on port ${port}. ${CallerTitle} may ask for the permission ${permission}, since its service account has
the role ${role}; it calls by ${Class}Client, which nothing uses yet.

Added:
${list(added)}
Changed:
${list(changed)}

Next:
  npm install                      links the new package
  npm run typecheck && npm run lint
  npm run test:unit -- apps/${name} test/repository
  npm test -- --selectProjects=e2e ${name}
  npm start
Then inject ${Class}Client where ${caller} needs it. A realm is imported once: make a new Keycloak container.
`);
}
