import { StringDecoder } from 'node:string_decoder';
import { format } from 'node:util';

export interface OutputListener {
  streamed(stream: 'stdout' | 'stderr', text: string): void;
  logged(method: ConsoleMethod, text: string): void;
}

/** All other console methods call one of these methods, or print only counts and times. */
const METHODS = ['debug', 'dir', 'dirxml', 'error', 'group', 'groupCollapsed', 'info', 'log', 'trace', 'warn'] as const;
export type ConsoleMethod = (typeof METHODS)[number];

const listeners = new Set<OutputListener>();
let unwatch: (() => void) | undefined;
/** True while a console method runs; the watched streams then ignore the text, which the console has reported. */
let inConsole = false;

/** Direct writes to file descriptors and the output of other processes are not watched. */
export function watchOutput(listener: OutputListener): () => void {
  listeners.add(listener);
  unwatch ??= watchAll();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    unwatch?.();
    unwatch = undefined;
  };
}

function watchAll(): () => void {
  const undo = [watchStream('stdout'), watchStream('stderr'), ...METHODS.map(watchConsole)];
  return () => undo.forEach((one) => one());
}

function watchStream(name: 'stdout' | 'stderr'): () => void {
  const stream = process[name];
  const decoder = new StringDecoder();
  return replace(stream, 'write', (write) => (chunk: string | Uint8Array, ...rest: unknown[]) => {
    const text = typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
    if (!inConsole) for (const listener of listeners) listener.streamed(name, text);
    return Reflect.apply(write, stream, [chunk, ...rest]);
  });
}

function watchConsole(method: ConsoleMethod): () => void {
  return replace(console, method, (print) => (...values: unknown[]) => {
    const nested = inConsole;
    if (!nested) for (const listener of listeners) listener.logged(method, format(...values));
    inConsole = true;
    try {
      return Reflect.apply(print, console, values);
    } finally {
      inConsole = nested;
    }
  });
}

type AnyFunction = (...values: never[]) => unknown;

/** If other code has wrapped the method again, our wrapper stays after the scan, but reports nothing. */
function replace<K extends string>(
  holder: Record<K, AnyFunction>,
  name: K,
  wrap: (former: AnyFunction) => AnyFunction,
): () => void {
  const had = Object.getOwnPropertyDescriptor(holder, name);
  const wrapped = wrap(holder[name]);
  holder[name] = wrapped;
  return () => {
    if (holder[name] !== wrapped) return;
    if (had === undefined) delete (holder as Partial<typeof holder>)[name];
    else Object.defineProperty(holder, name, had);
  };
}
