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

  it('is text in a terminal, and begins with the time, level, context and message', () => {
    const logger = new ServiceLogger('text');
    logger.log({ message: 'Request refused', code: 'invalid_token', count: 1 }, 'Refusal');
    logger.error('Unexpected error', 'Error: x', 'Error');
    expect(printed.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, ''))).toEqual([
      'INFO  [Refusal] Request refused code="invalid_token" count=1\n',
      'ERROR [Error] Unexpected error\nError: x\n',
    ]);
  });

  it('contains the message and stack of an error, or the text of another value', () => {
    const logger = new ServiceLogger('json', 'service-b');
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (const given of [new Error('boom'), circular, { n: 1n }, 42, undefined, null, [1]]) logger.error(given, 'Part');
    logger.warn('with an error', new Error('cause'), 'Part');
    logger.log('only a message');
    const lines = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(9);
    expect(lines[0]).toMatchObject({ message: 'boom', stack: expect.stringContaining('Error: boom') as unknown });
    expect(lines[3]).toMatchObject({ message: '42', context: 'Part' });
    expect(lines[7]).toMatchObject({ message: 'with an error', stack: expect.stringContaining('cause') as unknown });
    expect(lines[8]).toMatchObject({ message: 'only a message' });
  });

  it('contains only the message and stack of an error of an HTTP client', () => {
    const error = Object.assign(new Error('failed'), { config: { headers: { Authorization: 'Bearer SECRET' } } });
    const logger = new ServiceLogger('json');
    logger.error(error, 'Part');
    logger.error('failed', error, 'Part');
    logger.log({ message: 'm', err: error, cause: error, method: 'GET', headers: { a: 1 }, socket: {} }, 'Part');
    expect(printed.join('')).not.toContain('SECRET');
    expect(JSON.parse(printed[2] ?? '')).toMatchObject({ message: 'm', err: { message: 'failed' }, headers: { a: 1 } });
  });

  it('can not be forged by a field name or by a line break', () => {
    const logger = new ServiceLogger('json', 'service-b');
    logger.log({ level: 'error', time: 'x', service: 'other', context: 'Other', message: 'm' }, 'Part');
    expect(printed[0]?.match(/"(level|time|service|context)":/g)).toHaveLength(4);
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({ level: 'info', service: 'service-b', context: 'Part' });
    new ServiceLogger('text').log({ message: 'one\n12:00:00.000 ERROR [Other] two\u001b[31m' }, 'Part');
    expect(printed[1]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}\[Part\] one\n {2}12:00:00\.000 ERROR \[Other\] two \[31m\n$/,
    );
  });

  it("is not written for Nest's start messages", () => {
    const logger = new ServiceLogger('json');
    logger.log('Mapped {/, GET} route', 'RouterExplorer');
    logger.error('boom', 'ExceptionHandler');
    expect(printed).toEqual([]);
  });

  it('contains the message and fields that were given to the Logger of Nest', () => {
    Logger.overrideLogger(new ServiceLogger('json', 'service-a'));
    new Logger('Part').log({ message: 'It is so', one: 1 });
    Logger.overrideLogger(false);
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({ level: 'info', context: 'Part', message: 'It is so', one: 1 });
  });
});
