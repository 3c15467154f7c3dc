import type { Finding } from '../../checkup/finding.js';
import { inTime } from '../in-time.js';
import type { ApplicationSubject } from './application-subject.js';

/** Limits the time for creating the module, because a module may wait forever for a missing database. */
const MAX_MAKING_MS = 60_000;

/** `reference` has the form `path#name`. */
export async function loadApplication(reference: string): Promise<ApplicationSubject | readonly Finding[]> {
  await import('reflect-metadata');
  const { importModule, subjectOf } = await import('./application.discovery.js');
  const making = importModule(reference).then(subjectOf);
  return inTime(making, MAX_MAKING_MS, 'Nest did not create the module within a minute');
}
