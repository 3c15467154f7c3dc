/** traceparent: the header of W3C Trace Context by which a request asks to be traced. */
import { randomBytes } from 'node:crypto';

/** Version, trace id, parent id, flags; a later version may have more behind them. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;
const SAMPLED = 1;

/** The trace id, when the header is well-formed and its flag says `sampled`. */
export function sampledTraceId(header: unknown): string | undefined {
  const [, version = 'ff', traceId = '', parentId = '', flags = '', more] =
    TRACEPARENT.exec(typeof header === 'string' ? header : '') ?? [];
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (NOTHING.test(traceId) || NOTHING.test(parentId)) return undefined;
  return (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED ? traceId : undefined;
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

/** The header for one call of the trace, sampled, with a parent id of its own. */
export function traceparent(traceId: string): string {
  return `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
}
