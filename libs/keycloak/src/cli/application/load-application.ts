import type { Finding } from '../../checkup/finding.js';
import { UsageError } from '../usage-error.js';
import type { ApplicationSubject } from './application-subject.js';

/** Returns findings if the application can't be created. `reference` has the form `path#name`. */
export async function loadApplication(reference: string): Promise<ApplicationSubject | readonly Finding[]> {
  await import('reflect-metadata');
  const { importModule, subjectOf } = await import('./application.discovery.js');
  return madeInTime(importModule(reference).then(subjectOf));
}

/** Limits the time for creating the module, because a module may wait forever for a missing database. */
const MAX_MAKING_MS = 60_000;

async function madeInTime<T>(making: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UsageError('Nest did not create the module within a minute')), MAX_MAKING_MS);
  });
  return Promise.race([making, late]).finally(() => clearTimeout(timer));
}
