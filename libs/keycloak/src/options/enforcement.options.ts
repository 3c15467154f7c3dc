import type { ConfigurationFaults } from '../protocol/configuration-faults.js';
import type { OptionKind } from './option-kinds.js';

export const ENFORCEMENTS = ['enforce', 'observe'] as const;

export type Enforcement = (typeof ENFORCEMENTS)[number];

const MAX_DAYS = 90;

const DAY_MS = 86_400_000;

export const optionalDate: OptionKind<string | undefined> = (name, given, { faults }) => {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && !Number.isNaN(startOf(given))) return given;
  faults.fault(`${name} must be a date in the form YYYY-MM-DD`);
  return undefined;
};

/** Without `observe`, any date is accepted, so that one option switches between the modes. */
export function checkObserveUntil(
  { enforcement, observeUntil }: { readonly enforcement: Enforcement; readonly observeUntil: string | undefined },
  faults: ConfigurationFaults,
  nowSeconds: number,
): void {
  if (enforcement !== 'observe') return;
  if (observeUntil === undefined) {
    faults.fault(
      'enforcement is "observe", so observeUntil is required: the last day on which the service may observe',
    );
  } else if (hasPassed(observeUntil, nowSeconds)) {
    faults.fault(`observeUntil was ${observeUntil}: set enforcement to "enforce", or choose a later date`);
  } else if (startOf(observeUntil) - nowSeconds * 1000 > MAX_DAYS * DAY_MS) {
    faults.fault(`observeUntil must be at most ${MAX_DAYS} days ahead`);
  }
}

export const hasPassed = (date: string, nowSeconds: number): boolean => nowSeconds * 1000 >= startOf(date) + DAY_MS;

/** Returns NaN for a day that no calendar has: `Date` would read 2027-02-30 as 2027-03-02. */
function startOf(date: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(date) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date) ? ms : Number.NaN;
}
