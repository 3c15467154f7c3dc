import { writeFileSync } from 'node:fs';
import { configCliFile } from './formats/config-cli.js';
import { terraformModule } from './formats/terraform.js';
import { realmFile, realmFileNotes } from './formats/realm-file.js';
import type { Surroundings } from '../surroundings.js';
import { UsageError } from '../usage-error.js';
import { refuseOtherThanPlain } from '../policy/plain-texts.js';
import { plannedRequirements, type Planned } from './planned-requirements.js';
import { planReport } from './plan/plan-report.js';
import { differenceOf } from './plan/requirements-difference.js';
import { readRequirements, requirementsText } from './plan/requirements-file.js';
import type { PlanFlags } from './realm-flags.js';

interface Format {
  readonly render: (planned: Planned) => string;
  readonly notes?: (planned: Planned) => readonly string[];
}

const FORMATS: Readonly<Record<string, Format>> = {
  text: { render: ({ requirements }) => planReport(requirements) },
  json: { render: ({ requirements }) => requirementsText(requirements) },
  realm: {
    render: ({ requirements, issuer }) => realmFile(requirements, realmNameOf(issuer)),
    notes: ({ requirements }) => realmFileNotes(requirements),
  },
  'config-cli': { render: ({ requirements, issuer }) => configCliFile(requirements, realmNameOf(issuer)) },
  terraform: { render: ({ requirements }) => terraformModule(requirements) },
};

const FAILED = 1;

export async function runPlan(flags: PlanFlags, { print, printError }: Surroundings): Promise<number> {
  const { format: name = 'text', out, check } = flags;
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (format === undefined) throw new UsageError(`--format must be one of ${Object.keys(FORMATS).join(', ')}`);
  if (check !== undefined && (out !== undefined || flags.format !== undefined)) {
    throw new UsageError('--check excludes --format and --out');
  }
  const committed = check === undefined ? undefined : readRequirements(check);
  const planned = await plannedRequirements(flags);
  const { requirements, faults, notes } = planned;
  for (const note of notes) printError(`– ${note}\n`);
  for (const fault of faults) printError(`✗ ${fault}\n`);
  if (faults.length > 0) return FAILED;
  if (committed !== undefined) {
    const lines = differenceOf(committed, requirements);
    if (lines.length === 0) print(`${check} is what the code needs.\n`);
    else print(`${check} (-) is not what the code needs (+):\n${lines.map((line) => `${line}\n`).join('')}`);
    return lines.length === 0 ? 0 : FAILED;
  }
  const rendered = format.render(planned);
  for (const note of format.notes?.(planned) ?? []) printError(`– ${note}\n`);
  print(rendered);
  if (out !== undefined) write(out, requirementsText(requirements));
  return 0;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new UsageError(`${path} can't be written (${String((cause as NodeJS.ErrnoException).code)})`);
  }
}

function realmNameOf(issuer: string): string {
  const name = issuer.slice(issuer.lastIndexOf('/') + 1);
  let realm: string;
  try {
    realm = decodeURIComponent(name);
  } catch {
    throw new UsageError(`${issuer} names no realm: ${name} is not percent-encoded`);
  }
  refuseOtherThanPlain([realm], 'the name of the realm');
  return realm;
}
