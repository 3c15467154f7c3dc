import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogOutput } from './log-output.js';

let written: string[];
beforeEach(() => {
  written = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  jest.restoreAllMocks();
});

const asItIs = (line: string): string => line;

describe('LogOutput', () => {
  it('writes the lines from writeSoon() and the new line immediately', () => {
    const output = new LogOutput((line) => line.toUpperCase());
    output.writeSoon('a\n');
    output.writeSoon('b\n');
    expect(written).toEqual([]);
    output.write('c\n');
    expect(written).toEqual(['A\nB\nC\n']);
  });

  it('writes all lines from writeSoon() together a moment later', async () => {
    const output = new LogOutput(asItIs);
    output.writeSoon('a\n');
    output.writeSoon('b\n');
    while (written.length === 0) await sleep(1);
    output.flush();
    expect(written).toEqual(['a\nb\n']);
    output.writeSoon('c\n');
    while (written.length === 1) await sleep(1);
    expect(written).toEqual(['a\nb\n', 'c\n']);
  });

  it('writes the lines from writeSoon() immediately when the lines have too many characters', () => {
    const output = new LogOutput(asItIs);
    for (let at = 0; at < 40; at += 1) output.writeSoon(`${'x'.repeat(1000)}\n`);
    expect(written.join('')).toHaveLength(33 * 1001);
  });

  it('writes the lines from writeSoon() when the process exits', () => {
    const listeners = process.listeners('exit');
    const output = new LogOutput(asItIs);
    output.writeSoon('the last one\n');
    const [added] = process.listeners('exit').filter((listener) => !listeners.includes(listener));
    added?.(0);
    expect(written).toEqual(['the last one\n']);
  });
});
