import type { CircuitState } from './call-gate.js';

export type ComponentLog = Readonly<Record<'log' | 'warn' | 'error', (message: string, fields: object) => void>>;

const ignore = (): void => undefined;

export const SILENT: ComponentLog = { log: ignore, warn: ignore, error: ignore };

export const withFields = (log: ComponentLog, fields: object): ComponentLog => ({
  log: (message, own) => log.log(message, { ...own, ...fields }),
  warn: (message, own) => log.warn(message, { ...own, ...fields }),
  error: (message, own) => log.error(message, { ...own, ...fields }),
});

export function logCircuit(log: ComponentLog, target: string, state: CircuitState, fields: object): void {
  if (state === 'open') log.error(`Circuit opened: calls to ${target} are suspended`, fields);
  else if (state === 'half-open') log.log(`Circuit half-open: sending one trial call to ${target}`, fields);
  else log.log(`Circuit closed: calls to ${target} resumed`, fields);
}
