import { beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { CHANNEL_REFUSALS } from './channel-refusals.js';
import { ChannelTrust } from './channel-trust.js';

let clock: StillClock;
let lines: { readonly message: string; readonly fields: object }[];
let trust: ChannelTrust;

beforeEach(() => {
  clock = new StillClock();
  lines = [];
  const error = (message: string, fields: object): void => void lines.push({ message, fields });
  trust = new ChannelTrust(clock, { error });
});

describe('ChannelTrust', () => {
  it('logs at most one line a minute for each refusal reason, with a hint and a count (OP-01)', () => {
    for (let count = 0; count < 3; count += 1) trust.refused('entry_unreadable');
    trust.refused('proof_unknown_signer');
    expect(lines).toEqual([
      {
        message: expect.stringContaining('Refused content of the revocation channel'),
        fields: {
          reason: 'entry_unreadable',
          count: 1,
          hint: expect.stringContaining('Give all services the same denial keys'),
        },
      },
      { message: expect.any(String), fields: expect.objectContaining({ reason: 'proof_unknown_signer' }) },
    ]);
    clock.advance(59);
    trust.refused('entry_unreadable');
    expect(lines).toHaveLength(2);
    clock.advance(1);
    trust.refused('entry_unreadable');
    expect(lines[2]?.fields).toMatchObject({ reason: 'entry_unreadable', count: 4 });
    expect(trust.status.refused).toMatchObject({ entry_unreadable: 5, proof_unknown_signer: 1, proof_replayed: 0 });
  });

  it('counts consecutive refusals with the reason no_public_key only once (RS-30)', () => {
    trust.refused('no_public_key');
    trust.refused('no_public_key');
    expect(trust.status).toMatchObject({ proofRefusal: 'no_public_key', refused: { no_public_key: 1 } });
    expect(lines).toHaveLength(1);
  });

  it('reports in proofRefusal why the last proof was refused, until a proof is accepted', () => {
    trust.refused('entry_newer');
    trust.refused('proof_keys_unreadable');
    expect(trust.status).not.toHaveProperty('proofRefusal');
    trust.refused('entries_replaced');
    expect(trust.status.proofRefusal).toBe('entries_replaced');
    trust.proofAccepted();
    expect(trust.status).not.toHaveProperty('proofRefusal');
  });

  it.each(CHANNEL_REFUSALS)('logs a hint for the refusal %s', (reason) => {
    trust.refused(reason);
    expect(lines[0]?.fields).toMatchObject({ hint: expect.stringMatching(/^[A-Z].{40,}/) });
  });

  it('reports missing decryption keys only if no entry can be decrypted (OP-01)', () => {
    expect(trust.hasKeys).toBe(true);
    trust.examined({ unreadable: 2, hasOpened: false });
    expect([trust.hasKeys, trust.status.unreadable]).toEqual([false, 2]);
    trust.examined({ unreadable: 2, hasOpened: true });
    expect([trust.hasKeys, trust.status.unreadable]).toEqual([true, 2]);
  });

  it('counts gaps by their reason (RS-30)', () => {
    for (const reason of ['another_epoch', 'entries_not_proven', 'another_epoch']) trust.gap(reason);
    expect(trust.status.gaps).toEqual({ another_epoch: 2, entries_not_proven: 1 });
  });
});
