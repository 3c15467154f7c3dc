import type { ChannelRefusal, SharedRevocation } from '../extension/index.js';
import type { SealingKeys } from './sealing-keys.js';

interface Written {
  /** The number of the entry format; earlier versions of this library wrote no number. */
  readonly f?: number;
  readonly k: string;
  /** The value to deny or recheck, absent if `k` is `everything` or `floor`. */
  readonly v?: string;
  /** If `b` is set, the entry denies only tokens with an earlier `iat`. */
  readonly b?: number;
  readonly t: number;
  readonly i?: string;
  /** The time at which the entry was written, in milliseconds, by the server's clock. */
  readonly c?: number;
  /** The number of milliseconds after `c` during which the entry is useful. */
  readonly d?: number;
}

export interface ReadEntry {
  readonly revocation: SharedRevocation;
  /** The time of writing by the server's clock, or `NaN` if unknown. */
  readonly writtenAtMs: number;
  readonly usefulUntilMs: number | undefined;
}

const DENIALS = ['session', 'onlineSession', 'subject', 'token', 'tokenId'] as const;
const RECHECKS = ['sid', 'sub', 'clientId'] as const;
const EVERYTHING = 'everything';
const FLOOR = 'floor';
const WHAT = 'revocation';
const FORM = 1;

export class RevocationEntries {
  constructor(
    private readonly keys: SealingKeys,
    private readonly issuer: string,
  ) {}

  write(revocation: SharedRevocation, usefulMs: number, serverMs?: number): string {
    const times = serverMs === undefined ? {} : { c: Math.round(serverMs), d: Math.round(usefulMs) };
    const all: Written = { f: FORM, ...written(revocation), ...times };
    return this.keys.seal(JSON.stringify(all), [WHAT, this.issuer]);
  }

  /** Returns a refusal if the entry is unreadable, because the entry may be a denial. */
  read(entry: string): ReadEntry | ChannelRefusal {
    const text = this.keys.open(entry, [WHAT, this.issuer]);
    if (text === undefined) return this.keys.isNewer(entry) ? 'entry_newer' : 'entry_unreadable';
    const all = parsed(text);
    if (typeof all.f === 'number' && all.f > FORM) return 'entry_newer';
    const revocation = revocationIn(all);
    if (revocation === undefined) return 'entry_malformed';
    const writtenAtMs = typeof all.c === 'number' ? all.c : Number.NaN;
    const usefulUntilMs = writtenAtMs + (typeof all.d === 'number' ? all.d : Number.NaN);
    return { revocation, writtenAtMs, usefulUntilMs: Number.isFinite(usefulUntilMs) ? usefulUntilMs : undefined };
  }
}

function written(revocation: SharedRevocation): Omit<Written, 'f' | 'c' | 'd'> {
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
