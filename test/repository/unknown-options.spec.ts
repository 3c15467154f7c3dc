import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** Commands that pass options to another program, or that print a usage text. */
const PASSING_ON = ['scripts/checks/test.mjs', 'scripts/doctor/doctor.mjs', 'scripts/new-service/new-service.mjs'];
/** A command that this spec does not run, because the command installs packages first. */
const INSTALLS = 'docs/film/film.mjs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Readonly<Record<string, string>> };
const FILES = [...new Set(Object.values(scripts).flatMap((line) => /\bnode (\S+\.mjs)/.exec(line)?.[1] ?? []))]
  .filter((file) => file !== INSTALLS)
  .toSorted();

const run = (file: string, option: string) =>
  spawnSync(process.execPath, [file, option], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });

describe('a command of package.json', () => {
  it.each(FILES)('only prints a description with --help: %s', (file) => {
    const { status, stdout, stderr } = run(file, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^(?:npm (?:run|test|start)|Usage: )/);
  });

  it.each(FILES.filter((file) => !PASSING_ON.includes(file)))(
    'only names the known options if an option is unknown: %s',
    (file) => {
      const { status, stdout, stderr } = run(file, '--no-such-option');
      expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 1, stdout: '', lines: 1 });
      expect(stderr).toMatch(/Unknown option '--no-such-option'.* Options: (?:none|--[a-z])/);
    },
  );
});

it('scripts/README.md names each command of package.json', () => {
  const page = readFileSync('scripts/README.md', 'utf8');
  expect(Object.keys(scripts).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
