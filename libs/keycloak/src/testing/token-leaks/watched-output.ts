/** watchOutput(): tells what this process prints: standard output, standard error, and a console that is not Node's own. */
import { StringDecoder } from 'node:string_decoder';
import { format } from 'node:util';

/** Everything, in order; a token may be split over chunks of a stream, but a console prints one text at a time. */
export interface OutputListener {
  streamed(stream: 'stdout' | 'stderr', text: string): void;
  logged(method: ConsoleMethod, text: string): void;
}

/** Those that print what they are given; the others print by them, or counts and times. */
const METHODS = ['debug', 'dir', 'dirxml', 'error', 'group', 'groupCollapsed', 'info', 'log', 'trace', 'warn'] as const;
export type ConsoleMethod = (typeof METHODS)[number];

const listeners = new Set<OutputListener>();
let unwatch: (() => void) | undefined;
/** What Node's console prints comes by the stream as well, and is told once. */
let inConsole = false;

/**
 * Nothing is held back. Gives what ends it, in any order with others. It sees what goes through `process.stdout`,
 * `process.stderr` and `console`; not what is written to the file descriptor itself, or by another process.
 */
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
    // One method prints by another.
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

/** Gives what puts the former method back. Somebody who has wrapped ours since keeps it: it goes on, and tells nobody. */
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
