// The users of Valkey and their rights, as deploy/valkey/users.acl has them.
import { readFileSync } from 'node:fs';

const FILE = new URL('../deploy/valkey/users.acl', import.meta.url);
const USER = /^user (\S+) (?:on PASSWORD )?(.+)$/;

/**
 * Each user with its rights. `default` is off.
 *
 * @returns {{ name: string, rights: string[] }[]}
 */
export const valkeyUsers = () =>
  readFileSync(FILE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, rights] = USER.exec(line) ?? [];
      return name === undefined || rights === undefined ? [] : [{ name, rights: rights.split(' ') }];
    });

/** @param {string} user */
export const rightsOf = (user) => valkeyUsers().find(({ name }) => name === user)?.rights ?? [];

/**
 * The lines for an ACL file or a configuration: every user but `default` with its password.
 *
 * @param {(user: string) => string} passwordOf
 */
export const usersFile = (passwordOf) =>
  valkeyUsers()
    .map(({ name, rights }) =>
      ['user', name, ...(name === 'default' ? [] : ['on', `>${passwordOf(name)}`]), ...rights].join(' '),
    )
    .join('\n');
