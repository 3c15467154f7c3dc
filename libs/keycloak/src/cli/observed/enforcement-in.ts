import type { EnforcementStatus } from '../../module/keycloak-status.js';
import { ownProperty } from '../../protocol/claims.js';

/**
 * Returns undefined if the answer is malformed, because a malformed answer must not mean that no call was refused.
 */
export function enforcementIn(text: string): EnforcementStatus | undefined {
  const body = parsed(text);
  return [ownProperty(body, 'enforcement'), ownProperty(ownProperty(body, 'details'), 'enforcement')]
    .map(statusOf)
    .find((status) => status !== undefined);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function statusOf(given: unknown): EnforcementStatus | undefined {
  if (ownProperty(given, 'mode') === 'enforce') return { mode: 'enforce' };
  if (!hasMembers(given, STATUS)) return undefined;
  const { until, isOverdue, calls, refusals, unlisted, startFaults } = given as Observed;
  return { mode: 'observe', until, isOverdue, calls, refusals, unlisted, startFaults };
}

type Observed = Extract<EnforcementStatus, { readonly mode: 'observe' }>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const hasMembers = (value: unknown, members: Readonly<Record<string, Check>>): boolean =>
  Object.entries(members).every(([name, check]) => check(ownProperty(value, name)));

const REFUSAL: Readonly<Record<string, Check>> = {
  code: isText,
  reason: isText,
  route: isText,
  client: (value) => value === undefined || isText(value),
  count: isCount,
};

const CALLS: Readonly<Record<string, Check>> = {
  admitted: isCount,
  refused: isCount,
  refusedByBoth: isCount,
  failed: (value) => typeof value === 'object' && value !== null && Object.values(value).every(isCount),
  dropped: isCount,
};

const STATUS: Readonly<Record<string, Check>> = {
  mode: (value) => value === 'observe',
  until: isText,
  isOverdue: (value) => typeof value === 'boolean',
  calls: (value) => hasMembers(value, CALLS),
  refusals: listOf((value) => hasMembers(value, REFUSAL)),
  unlisted: isCount,
  startFaults: listOf(isText),
};
