import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServerUnderContract } from './describe-servers.js';
import type { Difference } from './differences.js';
import type { ContractCase } from './expectations.js';
import type { OlderVersion } from './older-versions.js';
import type { ContractServer } from './server.js';

export interface CaseGroup {
  readonly about: string;
  readonly cases: readonly ContractCase[];
}

export type ServerOfCases = () => ContractServer;

export function connectForCases(connect: () => Promise<ContractServer>): ServerOfCases {
  let server: ContractServer | undefined;
  beforeAll(async () => {
    server = await connect();
  });
  // Keycloak needs a long time to remove many clients.
  afterAll(() => server?.stop(), 60_000);
  return () => {
    if (server === undefined) throw new Error('No server was started');
    return server;
  };
}

export function holdCases(serverOf: ServerOfCases, groups: readonly CaseGroup[], older?: OlderVersion): void {
  describe.each(groups)('$about', ({ about, cases }) => {
    it.each(cases)('$title', async ({ title, ask, answer }) => {
      const server = serverOf();
      const given = await ask(server);
      try {
        const name = `${about}: ${title}`;
        expect(given).toEqual(older === undefined ? answer : older.expected(name, answer, server.issuer));
      } catch (error) {
        older?.record(`${about}: ${title}`, given, server.issuer);
        throw error;
      }
    });
  });
}

export function holdDifferences(
  serverOf: ServerOfCases,
  which: ServerUnderContract,
  differences: readonly Difference[],
): void {
  describe('known differences between the embedded server and Keycloak', () => {
    it.each(differences)('$title', async ({ ask, [which]: answer }) => {
      expect(await ask(serverOf())).toEqual(answer);
    });
  });
}
