// The users of Valkey and their rights, as deploy/valkey/users.acl has them.
import { readFileSync } from 'node:fs';

const FILE = new URL('../../deploy/valkey/users.acl', import.meta.url);
const USER = /^user (\S+) (on PASSWORD )?(.+)$/;

/**
 * Each user with its rights. `default` is off, and `probe` needs no password.
 *
 * @returns {{ name: string, hasPassword: boolean, rights: string[] }[]}
 */
export const valkeyUsers = () =>
  readFileSync(FILE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, password, rights] = USER.exec(line) ?? [];
      return name === undefined || rights === undefined
        ? []
        : [{ name, hasPassword: password !== undefined, rights: rights.split(' ') }];
    });

/** The users of processes. */
export const processUsers = () => valkeyUsers().filter(({ hasPassword }) => hasPassword);

/** @param {string} user */
export const rightsOf = (user) => valkeyUsers().find(({ name }) => name === user)?.rights ?? [];

/**
 * The lines for an ACL file or a configuration: every user that has a password with it.
 *
 * @param {(user: string) => string} passwordOf
 */
export const usersFile = (passwordOf) =>
  valkeyUsers()
    .map(({ name, hasPassword, rights }) =>
      ['user', name, ...(hasPassword ? ['on', `>${passwordOf(name)}`] : []), ...rights].join(' '),
    )
    .join('\n');
