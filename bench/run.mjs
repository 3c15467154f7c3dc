// npm run bench builds, starts the required servers and measures each scenario. Then the command prints the table of
// results, and writes the table to bench/results. With --list, the command prints the names of the scenarios. With
// --only=NAME, the command measures this scenario only. Repeat --only for more scenarios, or separate the names by
// commas. The options --rounds (default 5) and --scale (default 1) set the amount of work. With --counts, the command
// runs only the scenarios that count calls. With --against=FOLDER or --node=VERSION, the command also compares another
// checkout or Node.js version.
import '../scripts/common/help.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { argumentsOf } from '../scripts/common/own-options.mjs';
import { paint, stopSignal } from '../scripts/common/processes.mjs';
import { moveAside, pinning } from './measure/cores.mjs';
import { prepare } from './measure/prepare.mjs';

process.chdir(join(import.meta.dirname, '..'));
const { values: flags } = argumentsOf({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    counts: { type: 'boolean', default: false },
    against: { type: 'string' },
    node: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const signal = stopSignal();
let processes;
let keycloak;

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1;
  if (!signal.aborted) console.error(paint(31, error.stack));
}
await processes?.stopProcesses();
await keycloak?.stop();
process.exit();

async function main() {
  await prepare({ say, signal });
  const { scenarios } = await import('./scenarios/index.mjs');
  if (flags.list) {
    for (const { name, title } of scenarios) console.log(`${name.padEnd(20)} ${title}`);
    return 0;
  }
  const chosen = choose(scenarios);
  processes = await import('./measure/processes.mjs');
  const { findKeycloak } = await import('./measure/keycloak.mjs');
  const { missed, table } = await import('./report.mjs');
  keycloak = await findKeycloak({ say, signal });
  moveAside();
  say(`Node ${process.version}, ${pinning}`);
  const figures = [];
  for (const scenario of chosen) {
    console.log(paint(1, `\n${scenario.name}: ${scenario.title}`));
    figures.push(...(await measure(scenario)));
    writeResults(figures, table(figures));
  }
  console.log(`\n${table(figures)}`);
  const failures = missed(figures);
  for (const { scenario, figure } of failures) console.log(paint(31, `missed: ${scenario}: ${figure}`));
  return failures.length === 0 ? 0 : 1;
}

function choose(scenarios) {
  const names = flags.only?.flatMap((text) => text.split(','));
  const unknown = names?.filter((name) => !scenarios.some((scenario) => scenario.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`No such scenario: ${unknown.join(', ')} (--list names them)`);
  const lacks = ({ needs }) => needs !== undefined && flags[needs] === undefined;
  if (names === undefined) return scenarios.filter((one) => !lacks(one) && (one.counts || !flags.counts));
  const chosen = scenarios.filter(({ name }) => names.includes(name));
  const lacking = chosen.find(lacks);
  if (lacking !== undefined) throw new Error(`The scenario ${lacking.name} needs --${lacking.needs}`);
  return chosen;
}

async function measure({ name, title, run }) {
  const start = (label, args, options) => processes.startProcess(label, args, { ...options, signal });
  try {
    const figures = await run({
      keycloak,
      start,
      rounds: wholeNumber('rounds'),
      scale: wholeNumber('scale'),
      counts: flags.counts,
      against: flags.against,
      node: flags.node,
      stopAll: processes.stopProcesses,
      say,
      signal,
    });
    return figures.map((one) => ({ scenario: name, ...one }));
  } catch (error) {
    signal.throwIfAborted();
    console.error(paint(31, error.stack));
    return [
      {
        scenario: name,
        figure: title,
        unit: '',
        must: 'to be measured',
        seen: error.message.split('\n')[0],
        ok: false,
      },
    ];
  } finally {
    await processes.stopProcesses();
  }
}

function writeResults(figures, markdown) {
  const folder = 'bench/results';
  mkdirSync(folder, { recursive: true });
  const machine = { node: process.version, cores: cpus().length, cpu: cpus()[0]?.model, pinning };
  const { kind, version } = keycloak;
  const json = { at: new Date().toISOString(), machine, keycloak: { kind, version }, figures };
  writeFileSync(join(folder, 'bench.json'), `${JSON.stringify(json, undefined, 2)}\n`);
  writeFileSync(join(folder, 'bench.md'), markdown);
}

function wholeNumber(name) {
  const value = Number(flags[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} must be a whole number above 0`);
}

function say(line) {
  console.log(paint(2, line));
}
