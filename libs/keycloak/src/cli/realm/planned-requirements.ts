import { loadApplication } from '../application/load-application.js';
import { isApplication } from '../application/application-subject.js';
import { otherLibraryOf } from '../application/other-library.js';
import { UsageError } from '../usage-error.js';
import { needsFromOtherLibrary } from './needs-elsewhere.js';
import { refuseOtherThanPlain, textsIn } from '../policy/plain-texts.js';
import { codeRequirements } from './plan/code-requirements.js';
import { givenPolicy, NO_POLICY, PERMISSIONS_FILE, type PermissionPolicy } from '../policy/permission-policy.js';
import { requirementsOf, type RequirementsResult } from './plan/requirements-of.js';
import { needsOf, type PlannedApplication, type ServiceNeeds } from './plan/service-needs.js';

export interface PlanSource {
  readonly module?: readonly string[] | undefined;
  readonly permissions?: string | undefined;
  readonly issuer?: string | undefined;
}

export interface Planned extends RequirementsResult {
  readonly applications: readonly PlannedApplication[];
  readonly issuer: string;
  readonly policy: PermissionPolicy;
  readonly file: string;
}

export async function plannedRequirements({ module: references, permissions, issuer }: PlanSource): Promise<Planned> {
  if (references === undefined || references.length === 0) throw new UsageError('--module must be given');
  const file = permissions ?? PERMISSIONS_FILE;
  const policy = givenPolicy(permissions);
  const applications: PlannedApplication[] = [];
  const needs: (readonly ServiceNeeds[])[] = [];
  for (const reference of new Set(references)) {
    const other = otherLibraryOf(reference);
    if (other !== undefined) needs.push(await needsFromOtherLibrary(other, reference));
    else {
      const application = await applicationAt(reference);
      applications.push(application);
      needs.push(needsOf(application));
    }
  }
  const code = codeRequirements(needs, issuer);
  const result = requirementsOf(code, policy, file);
  refuseOtherThanPlain(textsIn(result.requirements), 'the plan');
  return { ...result, applications, issuer: code.issuer, policy: policy ?? NO_POLICY, file };
}

export async function applicationAt(reference: string): Promise<PlannedApplication> {
  const subject = await loadApplication(reference);
  if (isApplication(subject)) return { reference, subject };
  const faults = subject.map(({ message, cure = '' }) => `${message} ${cure}`.trim());
  throw new UsageError(`${reference}: ${faults.join('\n')}`);
}
