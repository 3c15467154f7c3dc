/** The lines of a service: JSON for collectors, text for people. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ServiceLogger } from './service-logger.js';

let printed: string[];
beforeEach(() => {
  printed = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('a log line', () => {
  it('is one JSON object: time, level name, service, context, message and fields', () => {
    const logger = new ServiceLogger('json', 'service-b');
    logger.log({ message: 'Request refused', code: 'invalid_token', text: 'a\nb' }, 'Refusal');
    logger.warn('Login failed', { code: 'login_refused' }, 'Login');
    logger.error('Unexpected error', 'Error: x\n    at y', 'Error');
    logger.fatal('The end', 'Bootstrap');
    logger.debug('Detail', 'Bootstrap');
    expect(printed.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    const lines = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines) {
      expect(line).toMatchObject({
        service: 'service-b',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
      });
    }
    const own = (line: object): object =>
      Object.fromEntries(Object.entries(line).filter(([name]) => name !== 'time' && name !== 'service'));
    expect(lines.map(own)).toEqual([
      { level: 'info', context: 'Refusal', message: 'Request refused', code: 'invalid_token', text: 'a\nb' },
      { level: 'warn', context: 'Login', message: 'Login failed', code: 'login_refused' },
      { level: 'error', context: 'Error', message: 'Unexpected error', stack: 'Error: x\n    at y' },
      { level: 'fatal', context: 'Bootstrap', message: 'The end' },
      { level: 'debug', context: 'Bootstrap', message: 'Detail' },
    ]);
  });

  it('is text for a terminal: what happened first', () => {
    const logger = new ServiceLogger('text');
    logger.log({ message: 'Request refused', code: 'invalid_token', count: 1 }, 'Refusal');
    logger.error('Unexpected error', 'Error: x', 'Error');
    expect(printed.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, ''))).toEqual([
      'INFO  [Refusal] Request refused code="invalid_token" count=1\n',
      'ERROR [Error] Unexpected error\nError: x\n',
    ]);
  });

  it('leaves out what Nest says at its start, and an error that bootstrap() tells', () => {
    const logger = new ServiceLogger('json');
    logger.log('Mapped {/, GET} route', 'RouterExplorer');
    logger.error('boom', 'ExceptionHandler');
    expect(printed).toEqual([]);
  });

  it('is what Logger of Nest gives it', () => {
    Logger.overrideLogger(new ServiceLogger('json', 'service-a'));
    new Logger('Part').log({ message: 'It is so', one: 1 });
    Logger.overrideLogger(false);
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({ level: 'info', context: 'Part', message: 'It is so', one: 1 });
  });
});
