import { randomBytes } from 'node:crypto';

/** Later versions of the header `traceparent` may append fields. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const ALL_ZERO = /^0+$/;
const SAMPLED = 1;

export function sampledTraceId(header: unknown): string | undefined {
  const [, version = 'ff', traceId = '', parentId = '', flags = '', more] =
    TRACEPARENT.exec(typeof header === 'string' ? header : '') ?? [];
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (ALL_ZERO.test(traceId) || ALL_ZERO.test(parentId)) return undefined;
  return (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED ? traceId : undefined;
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function traceparent(traceId: string): string {
  return `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
}
