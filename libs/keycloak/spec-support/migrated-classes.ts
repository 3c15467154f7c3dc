import { expect } from '@jest/globals';
import { migrated, ROOT_MODULE } from './migrated-project.js';

const NEST = `import { Controller, Get, UseGuards, applyDecorators, SetMetadata } from '@nestjs/common';`;
const OLD = `import { AuthenticatedUser, AuthGuard, EnforcerOptions, Public, Resource, RoleGuard, RoleMatchingMode, Roles, Scopes, Unprotected } from 'nest-keycloak-connect';`;
export const NO_GUARDS = ROOT_MODULE.replace(/providers: \[[^\]]*\],/, '');

export async function migratedClass(text: string, root?: string, imports = ''): Promise<string[]> {
  const result = await migrated(`${NEST}\n${OLD}\n${imports}\n${text}\n`, root);
  const start = result.split('\n').findIndex((line) => line.startsWith('@') || line.startsWith('// TODO'));
  return result
    .split('\n')
    .slice(start)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export const method = (decorators: string, parameters = ''): string =>
  `  @Get()\n  ${decorators}\n  read(${parameters}) {}`;
export const controller = (body: string, decorators = ''): string =>
  `@Controller()\n${decorators}\nexport class Orders {\n${body}\n}`;

export const TODO: unknown = expect.stringMatching(/^\/\/ TODO\(nestjs-keycloak-s2s\): .+[.]$/);
