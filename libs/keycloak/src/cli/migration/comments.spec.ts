import { describe, expect, it } from '@jest/globals';
import { migrated } from '../../../spec-support/migrated-project.js';

const SOURCE = `import { Controller, Get, UseGuards } from '@nestjs/common';
import {
  AccessToken,
  AuthGuard, // first the token
  AuthenticatedUser,
  /* then the roles */
  Roles,
} from 'nest-keycloak-connect';

@Controller()
export class Orders {
  @Get()
  @UseGuards(AuthGuard /* by hand */)
  @Roles({
    // why clerks
    roles: ['realm:clerk'], // and 'nobody' else
  })
  read(@AccessToken() token: string, /* page */ page: string) {}

  @Get('own')
  @Roles({ roles: ['realm:a//b'] })
  own(@AuthenticatedUser() user /* the caller */: any, @AccessToken() /* old */ token: string) {}
}
`;

describe('comments inside of changed code', () => {
  it('stay above the line that the command changes', async () => {
    expect(await migrated(SOURCE)).toBe(`import { Controller, Get } from '@nestjs/common';
// first the token
/* then the roles */
import { Caller, RequirePermission, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

@Controller()
export class Orders {
  @Get()
  /* by hand */
  // why clerks
  // and 'nobody' else
  @RequirePermission('clerk')
  /* page */
  read(page: string) {}

  @Get('own')
  @RequirePermission('a//b')
  /* the caller */
  /* old */
  own(@Caller() user: VerifiedAccessToken) {}
}
`);
  });

  it('stay above an import from which the command removes some names', async () => {
    const text = `import { AuthGuard, // first the token
  Roles } from 'nest-keycloak-connect';

export class OwnGuard extends AuthGuard {}

@Roles({ /* no role */ roles: [] })
export class Orders {}
`;
    const lines = (await migrated(text)).split('\n');
    expect(lines.filter((line) => line.includes('first the token'))).toHaveLength(1);
    expect(lines).toContain('/* no role */');
  });
});
