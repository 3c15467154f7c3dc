/** ServiceLogger: one line an event, as JSON for collectors or as text for people, and without Nest's own start-up lines. */
import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type Level, type Logger } from 'pino';
import type { ServiceSettings } from './service-settings.js';

const START_UP = new Set<unknown>(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

type Fields = Readonly<Record<string, unknown>>;

/**
 * A line has `time` (ISO 8601), `level` (info, warn, error, …), `service`, `context` (the part that logs), `message`, and the fields that
 * were given as objects.
 */
export class ServiceLogger implements LoggerService {
  readonly #pino: Logger;

  constructor(format: ServiceSettings<string>['logFormat'], service?: string) {
    const write = (line: string): boolean => process.stdout.write(format === 'json' ? line : asText(line));
    this.#pino = pino(
      {
        level: 'debug',
        base: service === undefined ? {} : { service },
        messageKey: 'message',
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (level) => ({ level }) },
      },
      { write },
    );
  }

  log(message: unknown, ...rest: unknown[]): void {
    if (!START_UP.has(rest.at(-1))) this.#write('info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  /** `bootstrap()` logs an error that prevents the start; without this, Nest would log it too, with its stack. */
  error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') this.#write('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  /** Nest gives the context last, and before it whatever was given: fields, or the stack of an error. */
  #write(level: Level, message: unknown, rest: readonly unknown[]): void {
    const given = [message, ...rest.slice(0, -1)];
    const [context] = rest.slice(-1);
    const objects = given.filter((one): one is Fields => typeof one === 'object' && one !== null);
    const texts = given.filter((one) => typeof one === 'string');
    const [text, stack] = typeof message === 'string' ? texts : [undefined, ...texts];
    const fields = Object.assign({}, ...objects) as Fields;
    const own = text === undefined ? fields : { ...fields, message: text };
    this.#pino[level]({
      ...(typeof context === 'string' ? { context } : {}),
      ...own,
      ...(stack === undefined ? {} : { stack }),
    });
  }
}

/** For a terminal: what happened first, then what goes with it. */
function asText(line: string): string {
  const { time, level, service: _, context, message, stack, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const further = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const head = `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} [${String(context ?? '')}]`;
  return `${head} ${String(message)}${further.join('')}\n${stack === undefined ? '' : `${String(stack)}\n`}`;
}
