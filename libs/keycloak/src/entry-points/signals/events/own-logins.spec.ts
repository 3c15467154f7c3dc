import { beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../../../spec-support/still-clock.js';
import { tokenText } from '../../../testing/token-text.js';
import type { EventLogClient } from './event-log-client.js';
import { OwnLogins } from './own-logins.js';

let clock: StillClock;
let rows: { readonly time: number; readonly details: { readonly token_id: string } }[];
let logins: OwnLogins;

const nowMs = (): number => clock.epochSeconds() * 1000;

beforeEach(() => {
  clock = new StillClock();
  rows = [];
  const since: EventLogClient['since'] = async (_, __, sinceMs) => ({
    events: rows.filter(({ time }) => time >= sinceMs),
    isWhole: true,
  });
  logins = new OwnLogins({ since } as EventLogClient, 'reader', clock);
});

async function look(id: string, isSaved = true): Promise<string> {
  if (isSaved) rows.push({ time: nowMs(), details: { token_id: id } });
  const { isSeen, isSameLog } = await logins.look(tokenText(id), nowMs() - 1000);
  clock.advance(5);
  return `${isSeen ? 'seen' : 'unseen'}, ${isSameLog ? 'same' : 'other'} log`;
}

describe('OwnLogins', () => {
  it('finds the new login even if the previous login was long ago', async () => {
    expect(await look('first')).toBe('seen, same log');
    clock.advance(60);
    expect(await look('second')).toBe('seen, same log');
    expect(await look('third')).toBe('seen, same log');
  });

  it('reports once that the log was cleared or belongs to another database', async () => {
    await look('first');
    rows = [];
    expect(await look('second')).toBe('seen, other log');
    expect(await look('third')).toBe('seen, same log');
  });

  it('reports the replacement of the log only once, even if later logins are not saved', async () => {
    await look('first');
    rows = [];
    expect(await look('second', false)).toBe('unseen, other log');
    expect(await look('third', false)).toBe('unseen, same log');
    expect(await look('fourth')).toBe('seen, same log');
  });

  it('does not report a replacement of the log if one login was not found', async () => {
    await look('first');
    expect(await look('second', false)).toBe('unseen, same log');
    expect(await look('third')).toBe('seen, same log');
  });

  it('reports a replaced log only once if no login is found for ten minutes', async () => {
    await look('first');
    const found = [];
    for (let tries = 0; tries < 130; tries += 1) found.push(await look(`unseen-${tries}`, false));
    expect(found.filter((each) => each.endsWith('other log'))).toHaveLength(1);
    expect(await look('last')).toBe('seen, same log');
  });

  it('does not report a replaced log if Keycloak may have deleted the earlier login', async () => {
    await look('first');
    rows = [];
    clock.advance(600);
    expect(await look('second')).toBe('seen, same log');
  });
});
