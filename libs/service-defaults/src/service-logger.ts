import type { LoggerService } from '@nestjs/common';
import { pino, type Level, type Logger } from 'pino';
import { LogOutput } from './log-output.js';
import type { ServiceSettings } from './service-settings.js';

const START_UP = new Set<unknown>(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

type Fields = Readonly<Record<string, unknown>>;

export type RequestLog = Readonly<Record<'info' | 'error', (fields: object) => void>>;

export class ServiceLogger implements LoggerService {
  readonly #pino: Logger;
  readonly #requests: Logger;
  readonly flush: () => void;

  constructor(format: ServiceSettings<string>['logFormat'], service?: string, version?: string) {
    const output = new LogOutput(format === 'json' ? (line) => line : asText);
    this.flush = output.flush;
    const options = {
      level: 'debug',
      base: { ...(service === undefined ? {} : { service }), ...(version === undefined ? {} : { version }) },
      messageKey: 'message',
      timestamp: isoTime(),
      formatters: { level: (level: string) => ({ level }) },
      serializers: {},
    };
    this.#pino = pino(options, { write: (line: string) => output.write(line) });
    this.#requests = pino(options, { write: (line: string) => output.writeSoon(line) }).child({ context: 'Request' });
  }

  /** The log serializes the common fields once, and writes lines in batches. */
  ofRoute(common: Fields): RequestLog {
    return this.#requests.child({ message: 'Request answered', ...common });
  }

  log(message: unknown, ...rest: unknown[]): void {
    if (!START_UP.has(rest.at(-1))) this.#write('info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  /** Skips Nest's line about a failed start, because `bootstrap()` logs the error. */
  error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') this.#write('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  /** Nest passes the context last, after fields, an error or a stack. */
  #write(level: Level, message: unknown, rest: readonly unknown[]): void {
    const context = rest.at(-1);
    const isNamed = typeof context === 'string';
    const further = (isNamed ? rest.slice(0, -1) : rest).filter((one) => one !== undefined);
    const stack = further.find((one) => typeof one === 'string');
    this.#pino[level]({
      ...(isNamed ? { context } : {}),
      ...(stack === undefined ? {} : { stack }),
      ...Object.assign({}, ...further.map((one) => fieldsOf(one))),
      ...(isFields(message) && !Array.isArray(message) ? fieldsOf(message) : { message: String(message) }),
    });
  }
}

const OWN = new Set(['time', 'level', 'service', 'version', 'context']);
/** pino would print the HTTP headers of an object that has one of these properties. */
const OF_HTTP = new Set(['socket', 'setHeader']);

/** Returns a function that formats the time at most once a millisecond (perf: request-log). */
function isoTime(): () => string {
  let lastMs = NaN;
  let text = '';
  return () => {
    const nowMs = Date.now();
    if (nowMs !== lastMs) {
      lastMs = nowMs;
      text = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return text;
  };
}

const isFields = (given: unknown): given is object => typeof given === 'object' && given !== null;

function fieldsOf(given: unknown): Fields {
  if (given instanceof Error) return { message: given.message, stack: given.stack };
  if (!isFields(given)) return {};
  const renamed = (name: string): string => (OWN.has(name) || OF_HTTP.has(name) ? `${name}_` : name);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [renamed(name), shown(value)]));
}

/** Returns only name, message and stack, since errors of HTTP clients contain the token. */
function shown(value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
}

/** Indents the lines, so that a text can't forge a log line. */
function asText(line: string): string {
  const {
    time,
    level,
    service: _,
    version: __,
    context,
    message,
    stack,
    ...fields
  } = JSON.parse(line) as Record<string, unknown>;
  const further = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const head = `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} [${String(context ?? '')}]`;
  const said = String(message ?? '').replaceAll(/\p{Cc}/gu, (control) => (control === '\n' ? '\n  ' : ' '));
  return `${head} ${said}${further.join('')}\n${stack === undefined ? '' : `${String(stack)}\n`}`;
}
