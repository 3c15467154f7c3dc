/** Revocation stream: the entries in the server, numbered without a gap from the beginning of an epoch on. */
import { createHash, randomBytes } from 'node:crypto';
import { ValkeyError, type ValkeyConnection } from './valkey-connection.js';

export interface StreamEntry {
  readonly number: number;
  /** Sealed; undefined for what is no entry of ours. */
  readonly sealed: string | undefined;
  /** How long ago the server took it, by its own clock. */
  readonly ageSeconds: number;
}

/** What the server says of the stream: an epoch begins when it is made, or made anew; `last` is the number of its newest entry. */
export interface StreamState {
  readonly epoch: string;
  readonly last: number;
}

/** Read at once. */
export const PAGE = 500;

/** Room for more than is appended at once. */
const FEWEST = 1000;

const COMMAND_MS = 1000;
/** How long a read waits for an entry; then the epoch is looked at. */
const BLOCK_MS = 1000;

/**
 * Appends entries, each with the next number and the time of the server. It begins a new epoch where there is none, where something else was put in
 * place of ours, and where the caller asks for it (`reset`, the epoch that is to end). Some of those whose time is over go. Where there is no room, it appends nothing and gives the
 * oldest ones, which the caller drops at the next try (`dropUntil`).
 *
 * KEYS: state, stream. ARGV: epoch to begin, epoch to end, ms that an entry is held, most entries, number of the last to drop, how many to offer, entries.
 */
const APPEND = `
local state, stream = KEYS[1], KEYS[2]
local function other(key, kind)
  local found = redis.call('TYPE', key).ok
  return found ~= kind and found ~= 'none'
end
if other(state, 'hash') then redis.call('DEL', state) end
if other(stream, 'stream') then redis.call('DEL', stream, state) end
local epoch = redis.call('HGET', state, 'epoch')
local counted = redis.call('HGET', state, 'last') or ''
local last = #counted <= 15 and string.find(counted, '^%d+$') and tonumber(counted)
local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
local isOurs = epoch and last and (not newest or newest[1] == string.format('%d-0', last))
if not isOurs or epoch == ARGV[2] then
  epoch, last = ARGV[1], 0
  redis.call('DEL', stream, state)
  redis.call('HSET', state, 'epoch', epoch, 'last', last)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 200)) do
  if now - (tonumber(entry[2][4]) or 0) < tonumber(ARGV[3]) then break end
  redis.call('XDEL', stream, entry[1])
end
if tonumber(ARGV[5]) > 0 then redis.call('XTRIM', stream, 'MINID', string.format('%d-0', ARGV[5] + 1)) end
local room = tonumber(ARGV[4]) - redis.call('XLEN', stream)
if room < #ARGV - 6 then
  local oldest = {}
  for at, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', ARGV[6])) do oldest[at] = { entry[1], entry[2][2] } end
  return { epoch, last, oldest }
end
for at = 7, #ARGV do
  last = last + 1
  redis.call('XADD', stream, string.format('%d-0', last), 'e', ARGV[at], 't', string.format('%d', now))
end
redis.call('HSET', state, 'last', last)
return { epoch, last }
`;
const APPEND_SHA = createHash('sha1').update(APPEND).digest('hex');

export class RevocationStream {
  readonly #state: string;
  readonly #stream: string;

  constructor(
    issuer: string,
    private readonly limits: { readonly memorySeconds: number; readonly maxRevocations: number },
  ) {
    // In braces what both have in common, so that a cluster has them in one place.
    const name = createHash('sha256').update(issuer).digest('hex').slice(0, 16);
    this.#state = `nestjs-keycloak-s2s:{${name}}:revocations:state`;
    this.#stream = `nestjs-keycloak-s2s:{${name}}:revocations`;
  }

  /**
   * The name that this run of the server has: another one, and it was restarted, or another took its place. Throws `ValkeyError` where the server drops
   * entries when its memory is full: denials would be among them.
   */
  async identity(connection: ValkeyConnection): Promise<string> {
    const info = `${String(await connection.send(['INFO', 'server'], COMMAND_MS))}\n${String(await connection.send(['INFO', 'memory'], COMMAND_MS))}`;
    const valueOf = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    if (valueOf('maxmemory') !== '0' && valueOf('maxmemory_policy') !== 'noeviction') {
      throw new ValkeyError('maxmemory_policy_must_be_noeviction');
    }
    return valueOf('run_id');
  }

  /** Undefined where there is no stream of ours, or not all of it. */
  async state(connection: ValkeyConnection): Promise<StreamState | undefined> {
    const [epoch, last] = (await connection.send(['HMGET', this.#state, 'epoch', 'last'], COMMAND_MS)) as (
      string | null
    )[];
    return epoch === null || epoch === undefined || !/^\d{1,15}$/.test(last ?? '')
      ? undefined
      : { epoch, last: Number(last) };
  }

  /** The entries after `position`, at most a page; `waits`: until there is one, for a second at most. */
  async after(connection: ValkeyConnection, position: number, waits: boolean): Promise<StreamEntry[]> {
    const block = waits ? ['BLOCK', String(BLOCK_MS)] : [];
    const args = ['XREAD', 'COUNT', String(PAGE), ...block, 'STREAMS', this.#stream, `${position}-0`];
    const answer = (await connection.send(args, COMMAND_MS + (waits ? BLOCK_MS : 0))) as
      | readonly (readonly [name: string, entries: readonly (readonly [id: string, fields: readonly string[]])[]])[]
      | null;
    const entries = answer?.[0]?.[1] ?? [];
    if (entries.length === 0) return [];
    const [seconds = '0'] = (await connection.send(['TIME'], COMMAND_MS)) as string[];
    return entries.map(([id, [, sealed, , takenAtMs = '']]) => ({
      number: /^\d{1,15}-0$/.test(id) ? Number(id.slice(0, -2)) : Number.NaN,
      sealed,
      ageSeconds: /^\d+$/.test(takenAtMs) ? Math.max(0, Number(seconds) - Number(takenAtMs) / 1000) : 0,
    }));
  }

  /** Ends the epoch, unless another replica did: whoever reads the stream begins anew, and appends what it holds. */
  async beginEpoch(connection: ValkeyConnection, ended = ''): Promise<void> {
    await this.#run(connection, { ended, dropUntil: 0, entries: [] });
  }

  /**
   * `summaryOf` makes one entry that stands for those that have to go, where there is no room; of those that are not ours it is given undefined.
   */
  async append(
    connection: ValkeyConnection,
    entries: readonly string[],
    summaryOf: (sealed: readonly (string | undefined)[]) => readonly string[],
  ): Promise<void> {
    const oldest = await this.#run(connection, { ended: '', dropUntil: 0, entries });
    if (oldest === undefined) return;
    const dropUntil = Number(oldest.at(-1)?.[0].split('-')[0] ?? 0);
    const summary = summaryOf(oldest.map(([, sealed]) => sealed ?? undefined));
    const rest = await this.#run(connection, { ended: '', dropUntil, entries: [...summary, ...entries] });
    if (rest !== undefined) throw new ValkeyError('no_room');
  }

  /** The oldest entries where there is no room, else undefined. */
  async #run(
    connection: ValkeyConnection,
    { ended, dropUntil, entries }: { ended: string; dropUntil: number; entries: readonly string[] },
  ): Promise<readonly (readonly [id: string, sealed: string | null])[] | undefined> {
    const { memorySeconds } = this.limits;
    const maxRevocations = Math.max(FEWEST, this.limits.maxRevocations);
    // Room for what is appended now, and for a while.
    const offered = Math.max(entries.length + 1, Math.ceil(maxRevocations / 10));
    const numbers = [memorySeconds * 1000, maxRevocations, dropUntil, offered];
    const args = [
      '2',
      this.#state,
      this.#stream,
      randomBytes(16).toString('hex'),
      ended,
      ...numbers.map(String),
      ...entries,
    ];
    let answer: unknown;
    try {
      answer = await connection.send(['EVALSHA', APPEND_SHA, ...args], COMMAND_MS);
    } catch (error) {
      if (!(error instanceof ValkeyError) || error.message !== 'noscript') throw error;
      answer = await connection.send(['EVAL', APPEND, ...args], COMMAND_MS);
    }
    return (answer as [string, number, [string, string | null][]?])[2];
  }
}
