/** Server-Timing: the steps of a trace as the header's metrics, and those of a next service, each held to the same form. */

export type TraceStep = 'introspection' | 'client-credentials' | 'token-exchange' | 'call' | 'refused' | 'total';

/** One metric, `<service>.<step>`; which of the others a step has, `FORMS` says. */
export interface TraceMetric {
  readonly service: string;
  readonly step: TraceStep;
  readonly description?: string;
  readonly durationMs?: number;
}

/** Of one answer; what is more, or longer, is not from a service like ours. */
export const MOST_METRICS = 32;
const MOST_CHARACTERS = 4096;

const TOKEN_OUTCOME = /^(?:requested|joined|reused)$/;

/** The descriptions that a step can have, as a whole; a step that is not here has none. */
const FORMS: ReadonlyMap<string, RegExp> = new Map<TraceStep, RegExp>([
  ['introspection', /^(?:asked|joined|cached)$/],
  ['client-credentials', TOKEN_OUTCOME],
  ['token-exchange', TOKEN_OUTCOME],
  ['call', /^[a-z][a-z\d-]{0,31} (?:[2-5]\d\d|failed)$/],
  ['refused', /^[a-z_]{1,48}$/],
]);
const STEPS: ReadonlySet<string> = new Set([...FORMS.keys(), 'total']);

/** Name, description in quotes, duration: what `formatServerTiming` writes, of all that the header allows. */
const METRIC = /^([a-z][a-z\d-]{0,31})\.([a-z-]{1,32})(?:;desc="([\w -]{1,64})")?(?:;dur=(\d{1,7}(?:\.\d)?))?$/;

const LONGEST_MS = 9_999_999;

export function formatServerTiming(metrics: readonly TraceMetric[]): string {
  return metrics.map(format).join(', ');
}

function format({ service, step, description, durationMs }: TraceMetric): string {
  const desc = description === undefined ? '' : `;desc="${description}"`;
  const dur = durationMs === undefined ? '' : `;dur=${Number(Math.min(durationMs, LONGEST_MS).toFixed(1))}`;
  return `${service}.${step}${desc}${dur}`;
}

/**
 * What another service wrote, as far as it is of our own form and not too much. It is not believed: it comes to a page
 * and to the answer to whoever called us. `self` is who reads it: in that name nobody else may speak.
 */
export function parseServerTiming(header: string, self: string): readonly TraceMetric[] {
  if (header.length > MOST_CHARACTERS) return [];
  return header
    .split(',')
    .slice(0, MOST_METRICS)
    .flatMap((part) => parse(part.trim()))
    .filter(({ service }) => service !== self);
}

function parse(part: string): TraceMetric[] {
  const [whole, service = '', step = '', description, duration] = METRIC.exec(part) ?? [];
  if (whole === undefined || !isStep(step)) return [];
  const form = FORMS.get(step);
  if (form === undefined ? description !== undefined : !form.test(description ?? '')) return [];
  return [
    {
      service,
      step,
      ...(description === undefined ? {} : { description }),
      ...(duration === undefined ? {} : { durationMs: Number(duration) }),
    },
  ];
}

function isStep(step: string): step is TraceStep {
  return STEPS.has(step);
}
