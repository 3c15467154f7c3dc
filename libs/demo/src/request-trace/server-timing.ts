export type TraceStep =
  'introspection' | 'jwt' | 'client-credentials' | 'token-exchange' | 'call' | 'refused' | 'total';

export interface TraceMetric {
  readonly service: string;
  readonly step: TraceStep;
  readonly description?: string;
  readonly durationMs?: number;
}

export const MAX_METRICS = 32;
const MAX_CHARACTERS = 4096;

const TOKEN_OUTCOME = /^(?:requested|joined|reused)$/;

const FORMS: ReadonlyMap<string, RegExp> = new Map<TraceStep, RegExp>([
  ['introspection', /^(?:asked|joined|cached)$/],
  ['jwt', /^(?:verified|joined|cached)$/],
  ['client-credentials', TOKEN_OUTCOME],
  ['token-exchange', TOKEN_OUTCOME],
  ['call', /^[a-z][a-z\d-]{0,31} (?:[2-5]\d\d|failed)$/],
  ['refused', /^[a-z_]{1,48}$/],
]);
const STEPS: ReadonlySet<string> = new Set([...FORMS.keys(), 'total']);

const METRIC = /^([a-z][a-z\d-]{0,31})\.([a-z-]{1,32})(?:;desc="([\w -]{1,64})")?(?:;dur=(\d{1,7}(?:\.\d)?))?$/;

const MAX_DURATION_MS = 9_999_999;

export function formatServerTiming(metrics: readonly TraceMetric[]): string {
  return metrics.map(format).join(', ');
}

function format({ service, step, description, durationMs }: TraceMetric): string {
  const desc = description === undefined ? '' : `;desc="${description}"`;
  const dur = durationMs === undefined ? '' : `;dur=${Number(Math.min(durationMs, MAX_DURATION_MS).toFixed(1))}`;
  return `${service}.${step}${desc}${dur}`;
}

/**
 * Returns metrics that are not trusted, so only a page and the caller may receive the metrics. Drops metrics that claim
 * to come from this service (`self`).
 */
export function parseServerTiming(header: string, self: string): readonly TraceMetric[] {
  if (header.length > MAX_CHARACTERS) return [];
  return header
    .split(',')
    .slice(0, MAX_METRICS)
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
