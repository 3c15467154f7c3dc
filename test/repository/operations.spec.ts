import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import {
  AUTHORIZATION_SERVER_ERROR_REASONS,
  BEARER_ERROR_REASONS,
  SERVICE_CALL_ERROR_REASONS,
} from 'nestjs-keycloak-s2s/diagnostics';
import { SIGNAL_SOURCE_REASONS } from 'nestjs-keycloak-s2s/signals';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const runbook = read('docs/operations.md');
const withoutBlocks = runbook.replace(/^```[^]*?^```$/gm, '');
const inCode = new Set([...withoutBlocks.matchAll(/`([^`]+)`/g)].map(([, text]) => text));

describe('the runbook', () => {
  it('names each reason of an error', () => {
    const reasons = [...BEARER_ERROR_REASONS, ...AUTHORIZATION_SERVER_ERROR_REASONS, ...SERVICE_CALL_ERROR_REASONS];
    const lacking = reasons.filter((reason) => !inCode.has(reason));
    expect({ 'docs/operations.md lacks': lacking }).toEqual({ 'docs/operations.md lacks': [] });
  });

  it("links to the signal feed's reference, which names each reason of a feed error", () => {
    expect(runbook).toContain('revocation-reference.md');
    const guide = read('docs/revocation-reference.md');
    expect(SIGNAL_SOURCE_REASONS.filter((reason) => !guide.includes(`\`${reason}\``))).toEqual([]);
  });

  it('lists 41 faults, each with a test and a way to find the fault', () => {
    const rows = [...runbook.matchAll(/^\| (\d+) +\|(.*)\|$/gm)].map(([, number = '', cells = '']) => ({
      number: Number(number),
      found: cells
        .split('|')
        .slice(1)
        .filter((cell) => cell.trim() !== ''),
    }));
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 41 }, (_, at) => at + 1));
    expect(rows.filter(({ found }) => found.length === 0)).toEqual([]);
    const specs = [
      'test/faults',
      'test/replicas',
      'libs/keycloak/src/checkup',
      'libs/keycloak/src/cli/application',
      'libs/keycloak/src/cli/doctor',
    ].flatMap((folder) =>
      readdirSync(join(root, folder))
        .filter((file) => file.endsWith('spec.ts'))
        .map((file) => read(`${folder}/${file}`)),
    );
    const tested = specs
      .flatMap((text) => [...text.matchAll(/\brows? ([\d, ]+)\)|\brow: (\d+)/g)])
      .flatMap(([, several, one = '']) => (several ?? one).split(',').map(Number));
    expect(rows.map(({ number }) => number).filter((number) => !tested.includes(number))).toEqual([]);
  });

  it('lists exactly the settings that a service reads', () => {
    const sources = [
      'service-settings',
      'client-settings',
      'other-issuers-settings',
      'login-settings',
      'shared-state-settings',
      'proof-key-settings',
      'signals-settings',
      'telemetry-settings',
    ]
      .map((file) => read(`libs/service-defaults/src/${file}.ts`))
      .join('\n');
    const named = [...sources.matchAll(/variables\.\w+\(\s*(?:\w+,\s*)?'([A-Z_]+)'/g)].map(([, name]) => name ?? '');
    const ofTheService = [...sources.matchAll(/`\$\{prefix(?:Of\(called\))?\}(_[A-Z_]+)`/g)].map(
      ([, name]) => name ?? '',
    );
    // One row of the runbook documents the poller's secret and other credentials.
    const ofTheFeed = [...sources.matchAll(/CLIENT_PREFIX = '([A-Z_]+)'/g)].map(([, name]) => `${name}_CLIENT_SECRET`);
    const settings = runbook.slice(runbook.indexOf('## Settings'));
    const rows = [...settings.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace(/^<(SERVICE|OTHER)>/, '')),
    );
    expect(new Set(rows)).toEqual(new Set([...named, ...ofTheService, ...ofTheFeed]));
    expect(named.length).toBeGreaterThan(12);
  });
});
