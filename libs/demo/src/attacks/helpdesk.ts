/** Helpdesk: makes a user at Keycloak for the time of an attack, and does to it what a help desk does. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { RawAnswer } from './attack-request.js';
import type { Administration, AttackersKeycloak, AttackingClient } from './attackers-keycloak.js';
import { AttackNotRun } from './attempt.js';

export interface ThrowAwayUser {
  readonly username: string;
  readonly password: string;
  /** Resolves when Keycloak has done it. */
  disable(): Promise<void>;
}

/** By a client whose service account may manage users, and nothing else. Each act has a token of its own: the last one may come a while after the first. */
export class Helpdesk {
  readonly #logger = new Logger('Helpdesk');

  constructor(
    private readonly keycloak: Pick<AttackersKeycloak, 'administer'>,
    private readonly client: AttackingClient,
  ) {}

  /** The user has this role of the realm, and is deleted afterwards, whatever happens. Throws `AttackNotRun`. */
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

  /** Gives its path. Keycloak lets nobody log in who has no name and no address. */
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
    if (id === undefined) throw new AttackNotRun('Keycloak did not say which user it has made.');
    return `/users/${id}`;
  }

  /** Whether there is a help desk shows at its first act. */
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

  /** Who manages users sees no roles but those that a user may be given. */
  async #give(path: string, name: string): Promise<void> {
    const mappings = `${path}/role-mappings/realm`;
    const available = await this.#list(`${mappings}/available`);
    const role = available.find((one) => one['name'] === name);
    if (role === undefined) throw new AttackNotRun(`Keycloak has no role ${name} to give.`);
    await this.#act('POST', mappings, [role]);
  }

  async #act(method: 'POST' | 'PUT' | 'DELETE', path: string, json?: object): Promise<void> {
    await this.keycloak.administer({ method, path, ...(json === undefined ? {} : { json }) }, this.client);
  }

  async #list(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { members } = await this.keycloak.administer({ method: 'GET', path }, this.client);
    return Object.values(members).map((one) => Object(one) as Readonly<Record<string, unknown>>);
  }

  /** By its name: the answer that has the id may be lost. A failure is logged, unless there may be nobody to delete, and does not change what came of the attack. */
  async #delete(username: string, isMade: boolean): Promise<void> {
    try {
      for (const { id } of await this.#list(`/users?exact=true&username=${username}`)) {
        await this.#act('DELETE', `/users/${String(id)}`);
      }
    } catch (error) {
      if (!isMade) return;
      const why = error instanceof AttackNotRun ? error.message : 'Unexpected error.';
      this.#logger.warn('A user that was made for an attack was not deleted', { username, why });
    }
  }
}
