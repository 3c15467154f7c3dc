import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testServer } from 'keycloak-test-servers';
import { SECRETS, type ConfidentialClient } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import {
  contractServerAt,
  startEmbedded,
  type ContractServer,
} from '../../libs/keycloak-test-servers/contract/server.js';
import { createRealm, unchanged } from './realm-copy.js';
import type { Variables } from './running-service.js';

export async function startSecondRealm(): Promise<ContractServer> {
  if (testServer().kind === 'embedded') return startEmbedded();
  const copy = await createRealm(unchanged);
  return { ...contractServerAt(copy.baseUrl, { realm: copy.realm }), stop: () => copy.delete() };
}

export interface AcceptedRealm {
  readonly issuer: string;
  readonly baseUrl: string;
  readonly acceptedScopes: readonly string[];
  readonly audiences?: Readonly<Record<string, string>>;
}

export class OtherIssuerFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), 'other-issuers-'));
  #made = 0;

  for(service: ConfidentialClient, realm: AcceptedRealm): Variables {
    this.#made += 1;
    const file = join(this.#folder, `${this.#made}.json`);
    const clientSecretFile = join(this.#folder, `${this.#made}.secret`);
    writeFileSync(clientSecretFile, SECRETS[service]);
    writeFileSync(file, JSON.stringify([{ ...realm, clientSecretFile }]));
    return { OTHER_ISSUERS_FILE: file };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
