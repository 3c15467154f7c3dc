import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { clientSecrets } from '../start/services.mjs';

/** @typedef {import('./processes-to-examine.mjs').Examined} Examined */
/** @typedef {import('./processes-to-examine.mjs').Finding} Finding */
/** @typedef {import('./processes-to-examine.mjs').Stack} Stack */

/**
 * @typedef {{ client?: string, issuer?: string, others?: { client: string, issuer: string }[], findings: Finding[], permittedCalls?: any }} Report
 */

/** @typedef {{ names: string[], services: string[], report: Report }} Section */

const MAX_WHY = 200;
const MOST_AT_ONCE = 3;

/**
 * @param {Stack} stack
 * @param {readonly string[]} flags
 * @param {() => Promise<NodeJS.ProcessEnv>} variables for each command
 * @returns {Promise<Section[]>}
 */
export async function examineStack({ processes }, flags, variables) {
  const groups = alike(processes);
  /** @type {Section[]} */
  const sections = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < groups.length; at = next++) {
      // All groups have the same permitted calls, so only the first group prints the calls.
      const own = at === 0 ? flags : [...flags, '--no-permitted-calls'];
      sections[at] = await examineGroup(groups[at] ?? [], own, variables);
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, worker));
  const different = differentKeys(sections);
  const [first] = sections;
  if (different === undefined) return sections;
  first?.report.findings.push(different);
  // A service can't know which service has the wrong keys, so the service's own finding counts as a symptom.
  for (const { report } of sections) {
    report.findings = report.findings.map((one) =>
      one.level === 'error' && one.keyFingerprints !== undefined ? { ...one, isSymptom: true } : one,
    );
  }
  return sections;
}

/** @param {readonly Examined[]} processes */
function alike(processes) {
  /** @type {Map<string, Examined[]>} */
  const groups = new Map();
  for (const one of processes) {
    const key = `${one.service}\n${one.settings}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

/**
 * @param {readonly Examined[]} group
 * @param {readonly string[]} flags
 * @param {() => Promise<NodeJS.ProcessEnv>} variables
 * @returns {Promise<Section>}
 */
async function examineGroup(group, flags, variables) {
  // The text comes from a process or from another server, so the text may contain secrets.
  const { withoutSecrets } = await import('../../libs/keycloak/dist/protocol/loggable-text.js');
  const secrets = Object.values(clientSecrets(process.env));
  const looks = group.map(async ({ name, look }) => {
    const fault = await look();
    return { name, fault: fault && { ...fault, why: withoutSecrets(fault.why, secrets).slice(0, MAX_WHY) } };
  });
  const command = group.find((one) => one.command !== undefined)?.command;
  // Both checks may wait many seconds for a healthy feed, so they run concurrently.
  const [faults, report] = await Promise.all([
    Promise.all(looks),
    command === undefined ? { findings: [] } : variables().then((environment) => reportOf(command(flags, environment))),
  ]);
  const looked = processFindings(faults);
  const isFeedFaulty = report.findings.some(({ check, level }) => check === 'signals' && level === 'error');
  return {
    names: group.map(({ name }) => name),
    services: [...new Set(group.map(({ service }) => service))],
    report: {
      ...report,
      findings: [...looked.filter(({ check }) => check !== 'signals' || !isFeedFaulty), ...report.findings],
    },
  };
}

/**
 * @param {readonly { name: string, fault: import('./processes-to-examine.mjs').ProcessFault | undefined }[]} looked
 * @returns {Finding[]}
 */
function processFindings(looked) {
  const faults = new Map(looked.flatMap(({ fault }) => (fault === undefined ? [] : [[keyOf(fault), fault]])));
  return [...faults].map(([key, one]) => {
    const { what, why, cure, check = 'process', level = /** @type {const} */ ('error'), isSymptom } = one;
    const names = looked.filter(({ fault }) => fault !== undefined && keyOf(fault) === key).map(({ name }) => name);
    const message = `${what}: ${names.join(', ')} (${why}).`;
    return { check, level, message, cure, ...(isSymptom === undefined ? {} : { isSymptom }) };
  });
}

const keyOf = (/** @type {import('./processes-to-examine.mjs').ProcessFault} */ { what, why }) => `${what} ${why}`;

/**
 * @param {import('./processes-to-examine.mjs').Command} command
 * @returns {Promise<Report>}
 */
async function reportOf({ executable, args, env }) {
  const child = spawn(executable, [...args, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  try {
    return JSON.parse(printed);
  } catch {
    throw new Error(said.trim() || printed.trim() || `${executable} ${args.join(' ')} printed no report`);
  }
}

/**
 * Each service seals revocations with its first key, so all other services need this key.
 *
 * @param {readonly Section[]} sections
 * @returns {Finding | undefined}
 */
function differentKeys(sections) {
  const holders = sections.flatMap(({ names, report }) => {
    const keys = report.findings.flatMap(({ keyFingerprints }) => keyFingerprints ?? []);
    return keys.length === 0 ? [] : [{ name: names.join(', '), keys }];
  });
  const isShared = holders.every(({ keys: [sealing = ''] }) => holders.every(({ keys }) => keys.includes(sealing)));
  if (isShared) return undefined;
  const each = holders.map(({ name, keys }) => `${name}: ${keys.join(', ')}`).join('; ');
  return {
    check: 'shared_state',
    level: 'error',
    message: `The keys of denials differ between processes (fingerprints: ${each}).`,
    cure: 'Give every service and the poller the same SHARED_DENIAL_KEYS, and restart those that differ.',
  };
}
