import { randomBytes, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { RawAnswer } from './attack-request.js';
import type { Administration, AttackersKeycloak, AttackingClient } from './attackers-keycloak.js';
import { AttackNotRun } from './attempt.js';

export interface ThrowAwayUser {
  readonly username: string;
  readonly password: string;
  disable(): Promise<void>;
}

/**
 * Sends requests of a client whose service account may only manage users. Each request gets its own token, since an
 * earlier token may have expired.
 */
export class Helpdesk {
  readonly #logger = new Logger('Helpdesk');

  constructor(
    private readonly keycloak: Pick<AttackersKeycloak, 'administer'>,
    private readonly client: AttackingClient,
  ) {}

  async withUser<T>(role: string, use: (user: ThrowAwayUser) => Promise<T>): Promise<T> {
    const username = `throw-away-${randomUUID()}`;
    const password = randomBytes(24).toString('base64url');
    let isMade = false;
    try {
      const path = await this.#create(username, password);
      isMade = true;
      await this.#give(path, role);
      return await use({ username, password, disable: () => this.#act('PUT', path, { enabled: false }) });
    } finally {
      await this.#delete(username, isMade);
    }
  }

  async #create(username: string, password: string): Promise<string> {
    const json = {
      username,
      enabled: true,
      email: `${username}@example.com`,
      emailVerified: true,
      firstName: 'Throw',
      lastName: 'Away',
      credentials: [{ type: 'password', value: password, temporary: false }],
    };
    const { location } = await this.#begin({ method: 'POST', path: '/users', json });
    const id = /\/users\/([\w-]+)$/.exec(location ?? '')?.[1];
    if (id === undefined) throw new AttackNotRun('Keycloak did not return the id of the new user.');
    return `/users/${id}`;
  }

  /** Adds a hint to the error, since the first request fails if the client is missing or disabled. */
  async #begin(act: Administration): Promise<Pick<RawAnswer, 'location'>> {
    try {
      return await this.keycloak.administer(act, this.client);
    } catch (error) {
      if (!(error instanceof AttackNotRun)) throw error;
      throw new AttackNotRun(
        `${error.message} npm start and docker compose enable this client in a realm that they start.`,
      );
    }
  }

  async #give(path: string, name: string): Promise<void> {
    const mappings = `${path}/role-mappings/realm`;
    const available = await this.#list(`${mappings}/available`);
    const role = available.find((one) => one['name'] === name);
    if (role === undefined) throw new AttackNotRun(`Keycloak has no role ${name}.`);
    await this.#act('POST', mappings, [role]);
  }

  async #act(method: 'POST' | 'PUT' | 'DELETE', path: string, json?: object): Promise<void> {
    await this.keycloak.administer({ method, path, ...(json === undefined ? {} : { json }) }, this.client);
  }

  async #list(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { members } = await this.keycloak.administer({ method: 'GET', path }, this.client);
    return Object.values(members).map((one) => Object(one) as Readonly<Record<string, unknown>>);
  }

  async #delete(username: string, isMade: boolean): Promise<void> {
    try {
      for (const { id } of await this.#list(`/users?exact=true&username=${username}`)) {
        await this.#act('DELETE', `/users/${String(id)}`);
      }
    } catch (error) {
      if (!isMade) return;
      const why = error instanceof AttackNotRun ? error.message : 'Unexpected error.';
      this.#logger.warn('The user of an attack was not deleted', { username, why });
    }
  }
}
