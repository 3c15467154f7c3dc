import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  AUTHORIZATION_SERVER_ERROR_REASONS,
  BEARER_ERROR_REASONS,
  SERVICE_CALL_ERROR_REASONS,
} from '../entry-points/diagnostics/index.js';
import { OAUTH_ERROR_CODES } from './oauth-error-codes.js';

const TEXT = readFileSync(new URL('../../../../docs/refusals.md', import.meta.url), 'utf8');

const sectionOf = (name: string): string =>
  new RegExp(`^### \`${name}\`[^]*?(?=^##|(?![^]))`, 'm').exec(TEXT)?.[0] ?? '';
const quotedIn = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

const documented = (name: string): readonly string[] =>
  quotedIn([...sectionOf(name).matchAll(/^\|([^|]*)\|/gm)].map(([, cell]) => cell).join('\n'));

describe('docs/refusals.md', () => {
  it.each([
    ['BearerError', BEARER_ERROR_REASONS],
    ['AuthorizationServerError', [...AUTHORIZATION_SERVER_ERROR_REASONS, 'answered_<status>_<code>']],
    ['ServiceCallError', [...SERVICE_CALL_ERROR_REASONS, 'answered_<status>']],
  ])('explains each reason of %s once, and no other reason', (name, reasons) => {
    expect(documented(name).toSorted()).toEqual(reasons.toSorted());
  });

  it('lists each OAuth error code that a reason can contain', () => {
    const [list] = /^`<code>` is[^]*?\. Any other/m.exec(sectionOf('AuthorizationServerError')) ?? [''];
    const words = quotedIn(list).filter((word) => word !== '<code>' && word !== 'error');
    expect(words.toSorted()).toEqual(OAUTH_ERROR_CODES.toSorted());
  });
});
