/** Revocation entries: how a denial, a recheck or a floor is written into the stream, sealed, and read from it. */
import { randomBytes } from 'node:crypto';
import type { SharedRevocation } from '../index.js';
import type { SealingKeys } from './sealing-keys.js';

/** Short names: a stream holds many. */
interface Written {
  readonly k: string;
  /** Of whom; none for everything, and for a floor. */
  readonly v?: string;
  /** Before which `iat`; none for all. */
  readonly b?: number;
  readonly t: number;
  /** Of a recheck: its id. */
  readonly i?: string;
  /** Of this entry alone, in hex: who has the server can neither make one nor put another in its place unseen. */
  readonly n: string;
  /** When it was written, by the server's clock, in milliseconds; none where that is not known yet. */
  readonly c?: number;
}

export interface ReadEntry {
  readonly revocation: SharedRevocation;
  readonly nonce: bigint;
  /** `NaN` where its writer did not know. */
  readonly writtenAtMs: number;
}

const DENIALS = ['session', 'onlineSession', 'subject', 'token', 'tokenId'] as const;
const RECHECKS = ['sid', 'sub', 'clientId'] as const;
const EVERYTHING = 'everything';
const FLOOR = 'floor';
const WHAT = 'revocation';

export class RevocationEntries {
  constructor(
    private readonly keys: SealingKeys,
    private readonly issuer: string,
  ) {}

  /** `serverMs`: the time by the server's clock, where it is known. */
  write(revocation: SharedRevocation, serverMs?: number): string {
    const n = randomBytes(16).toString('hex');
    const c = serverMs === undefined ? {} : { c: Math.round(serverMs) };
    return this.keys.seal(JSON.stringify({ ...written(revocation), n, ...c } satisfies Written), [WHAT, this.issuer]);
  }

  /** Undefined for what no service with the same keys wrote, and for what a later version of this library did. */
  read(entry: string | undefined): ReadEntry | undefined {
    const text = entry === undefined ? undefined : this.keys.open(entry, [WHAT, this.issuer]);
    if (text === undefined) return undefined;
    const all = parsed(text);
    const revocation = revocationIn(all);
    const writtenAtMs = typeof all.c === 'number' ? all.c : Number.NaN;
    return (
      revocation && {
        revocation,
        writtenAtMs,
        nonce: /^[\da-f]{32}$/.test(all.n ?? '') ? BigInt(`0x${all.n ?? ''}`) : 0n,
      }
    );
  }
}

function written(revocation: SharedRevocation): Omit<Written, 'n' | 'c'> {
  const { kind, at: t } = revocation;
  if (kind === 'floor') return { k: FLOOR, t };
  if (kind === 'denial') {
    const { kind: k, key: v, issuedBefore: b } = revocation.denial;
    return Number.isFinite(b) ? { k, v, b, t } : { k, v, t };
  }
  const { id: i } = revocation;
  if (revocation.recheck === EVERYTHING) return { k: EVERYTHING, t, i };
  const [[k, v] = ['', '']] = Object.entries(revocation.recheck) as [string, string][];
  return { k, v, t, i };
}

function parsed(text: string): Partial<Written> {
  try {
    return Object(JSON.parse(text)) as Partial<Written>;
  } catch {
    return {};
  }
}

function revocationIn({
  k,
  v = '',
  b = Infinity,
  t: at = Number.NaN,
  i: id = '',
}: Partial<Written>): SharedRevocation | undefined {
  if (!Number.isFinite(at) || typeof v !== 'string' || typeof b !== 'number' || typeof id !== 'string')
    return undefined;
  if (k === FLOOR) return { kind: 'floor', at };
  if (k === EVERYTHING) return { kind: 'recheck', recheck: EVERYTHING, at, id };
  if (v === '') return undefined;
  const denied = DENIALS.find((kind) => kind === k);
  if (denied !== undefined) return { kind: 'denial', denial: { kind: denied, key: v, issuedBefore: b }, at };
  const name = RECHECKS.find((one) => one === k);
  return name === undefined
    ? undefined
    : { kind: 'recheck', recheck: { [name]: v } as { readonly sid: string }, at, id };
}
