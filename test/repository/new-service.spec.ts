import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../../scripts/new-service/free.mjs';

/** A refusal needs only these files, so a mistake writes nothing to this repository. */
const FILES = [
  'services.json',
  'scripts/common/help.mjs',
  'scripts/new-service',
  'scripts/start/services.mjs',
  'apps/service-c/package.json',
  'libs/service-defaults/package.json',
  'docker-compose.yml',
];

describe('npm run new-service', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'new-service-spec-'));
    for (const path of FILES) cpSync(path, join(folder, path), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('refuses the name of a package in apps or libs', () => {
    const args = ['scripts/new-service/new-service.mjs', 'service-defaults', '--called-by', 'service-c'];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'This repository already has a package service-defaults: choose another name.\n',
    });
  });
});

describe('the port of a new service', () => {
  const compose = `ports: ['127.0.0.1:\${GRAFANA_PORT:-3003}:3000']\nports: ['127.0.0.1:3006:3000']\n`;

  it.each([
    [3001, 3002],
    [3002, 3004],
    [3004, 3005],
    [3005, 3007],
    [3009, 3011],
  ])('after the port %d is %d, because Grafana and the signal-poller have their own ports', (highest, port) => {
    const services = { 'service-a': { port: 3000 }, 'service-z': { port: highest } };
    expect(freePort({ services, poller: { port: 3010 } }, compose)).toBe(port);
  });
});
