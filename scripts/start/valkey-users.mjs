import { readFileSync } from 'node:fs';

const FILE = new URL('../../deploy/valkey/users.acl', import.meta.url);
const USER = /^user (\S+) (on PASSWORD )?(.+)$/;

/** @returns {{ name: string, hasPassword: boolean, rights: string[] }[]} */
export const valkeyUsers = () =>
  readFileSync(FILE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, password, rights] = USER.exec(line) ?? [];
      return name === undefined || rights === undefined
        ? []
        : [{ name, hasPassword: password !== undefined, rights: rights.split(' ') }];
    });

export const processUsers = () => valkeyUsers().filter(({ hasPassword }) => hasPassword);

/** @param {string} user */
export const rightsOf = (user) => valkeyUsers().find(({ name }) => name === user)?.rights ?? [];

/** @param {(user: string) => string} passwordOf */
export const usersFile = (passwordOf) =>
  valkeyUsers()
    .map(({ name, hasPassword, rights }) =>
      ['user', name, ...(hasPassword ? ['on', `>${passwordOf(name)}`] : []), ...rights].join(' '),
    )
    .join('\n');
