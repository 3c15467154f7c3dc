import { inspect } from 'node:util';

export function printedForms(value: unknown): string {
  const { stack, cause } = value as { stack?: unknown; cause?: unknown };
  return [
    JSON.stringify(value),
    JSON.stringify(Object.getOwnPropertyDescriptors(value)),
    inspect(value, { depth: null, showHidden: true }),
    inspect(value, { depth: null, showHidden: true, customInspect: false, getters: false }),
    String(value),
    String(stack),
    inspect(cause, { depth: null, showHidden: true }),
  ].join('\n');
}
