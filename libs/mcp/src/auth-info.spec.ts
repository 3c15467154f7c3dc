import { describe, expect, it } from '@jest/globals';
import type { AuthInfo } from '@modelcontextprotocol/server';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { authInfoOf } from './auth-info.js';

describe('authInfoOf', () => {
  const caller = testAccessToken({ subject: 'alice', client: 'agent', permissions: ['tools.use', 'tools.approve'] });

  it('describes the caller in the form of the official SDK, without the text of the token (M5)', () => {
    const info: AuthInfo = authInfoOf(caller, 'https://tools.test/.well-known/oauth-protected-resource/mcp');
    expect(info).toEqual({
      token: '',
      clientId: 'agent',
      scopes: ['tools.use', 'tools.approve'],
      expiresAt: caller.expiresAt,
      extra: { caller },
      resourceMetadataUrl: 'https://tools.test/.well-known/oauth-protected-resource/mcp',
    });
  });

  it('names no metadata URL unless there is one', () => {
    expect(authInfoOf(caller)).not.toHaveProperty('resourceMetadataUrl');
  });
});
