/** Revocation stream: the entries in the server, numbered without a gap from the beginning of an epoch on, each with the one before it. */
import { createHash, randomBytes } from 'node:crypto';
import { ValkeyError, type ValkeyConnection } from './valkey-connection.js';

export interface StreamEntry {
  readonly number: number;
  /** Sealed; empty for what is no entry of ours, or too long for one. */
  readonly sealed: string;
  /** How long ago the server took it, by its own clock. */
  readonly ageSeconds: number;
  readonly id: string;
  /** The id of the entry before it. */
  readonly previous: string;
}

/** What the server holds at one moment. */
export interface StreamPage {
  /** Another one begins when the stream is made anew. */
  readonly epoch: string;
  /** The numbers of the oldest and of the newest entry; the first is larger where there is none. */
  readonly first: number;
  readonly last: number;
  /** The id of the newest entry. */
  readonly tip: string;
  readonly entries: readonly StreamEntry[];
}

/** To be appended: sealed, and how long it is of use. */
export interface NewEntry {
  readonly sealed: string;
  readonly usefulMs: number;
}

/** Read at once. */
export const PAGE = 500;

/** Room for the lists of all replicas, of which each holds as many as it may. */
const ROOM = 2;
const LEAST_ROOM = 2000;

/** Longer than any entry of ours. */
const MAX_BYTES = 16_384;

/** Of the ids with one number: what lies between two numbers is no entry of ours, and must not wake anybody. */
const LAST_PART = '18446744073709551615';

const COMMAND_MS = 1000;
/** How long a wait for an entry is; then the epoch is looked at. */
const BLOCK_MS = 1000;

/** What both scripts know of the state. Somebody else's numbers are believed only if they can be ours. */
const STATE = `
local state, stream = KEYS[1], KEYS[2]
local function has(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end
local function number(name)
  local text = redis.call('HGET', state, name) or ''
  return #text <= 15 and string.find(text, '^%d+$') and tonumber(text)
end
local function upTo(length, text)
  return text and #text <= length and text or ''
end
local function idOf(number)
  return string.format('%d-0', number)
end
local epoch, first, last, tip = false, false, false, ''
if has(state, 'hash') and has(stream, 'stream') then
  epoch, first, last = redis.call('HGET', state, 'epoch'), number('first'), number('last')
  tip = upTo(64, redis.call('HGET', state, 'tip'))
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local isWhole = epoch and #epoch <= 64 and first and last and first <= last + 1
`;

/**
 * Reads on from a number (-1: from the oldest), at most so many. It changes nothing.
 *
 * KEYS: state, stream. ARGV: number, how many, most bytes of an entry.
 */
const READ = `${STATE}
if not isWhole then return false end
local from = tonumber(ARGV[1])
if from < 0 then from = first - 1 end
local entries = {}
for at, entry in ipairs(redis.call('XRANGE', stream, idOf(from + 1), '+', 'COUNT', ARGV[2])) do
  local fields = entry[2]
  entries[at] = { upTo(40, entry[1]), upTo(tonumber(ARGV[3]), fields[2]), upTo(20, fields[4]), upTo(64, fields[8]), upTo(64, fields[10]) }
end
return { epoch, first, last, tip, now, entries }
`;

/**
 * Appends entries, each with the next number. It begins a new epoch where there is none, where something else was put in place of ours, where there is no room, and where the
 * caller asks for it. Some of those that are of no more use go. With an expected state it appends nothing, and gives 0, if others have appended meanwhile.
 *
 * KEYS: state, stream. ARGV: epoch to begin, epoch to end, expected state, ids, room, then each entry and for how many ms it is of use.
 */
const APPEND = `${STATE}
local count = (#ARGV - 5) / 2
local function begin()
  if not has(state, 'hash') then redis.call('DEL', state) end
  epoch, first, last, tip = ARGV[1], 1, 0, ''
  -- First: where the memory is full, this fails, and what is there stays.
  redis.call('HSET', state, 'epoch', epoch, 'first', first, 'last', last, 'tip', tip, 'room', ARGV[5])
  redis.call('DEL', stream)
end
if isWhole then
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  isWhole = newest and newest[1] == idOf(last) or not newest and first == last + 1
end
if not isWhole or epoch == ARGV[2] then begin() end
if ARGV[3] ~= '' and ARGV[3] ~= epoch .. ':' .. idOf(last) then return 0 end
for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 200)) do
  local taken, useful = tonumber(entry[2][4]), tonumber(entry[2][6])
  if taken and useful and now - taken < useful then break end
  redis.call('XDEL', stream, entry[1])
  first = first + 1
end
local room = math.max(tonumber(ARGV[5]), number('room') or 0)
if redis.call('XLEN', stream) + count > room then begin() end
local function append()
  for at = 6, #ARGV, 2 do
    local id = ARGV[4] .. at
    local fields = { 'e', ARGV[at], 't', string.format('%d', now), 'm', ARGV[at + 1], 'i', id, 'p', tip }
    local added = redis.pcall('XADD', stream, idOf(last + 1), unpack(fields))
    if type(added) == 'table' and added.err then return added end
    last, tip = last + 1, id
  end
end
local failed = append()
-- Somebody moved its last number on.
if failed and (string.find(failed.err, 'equal or smaller') or string.find(failed.err, 'exhausted')) then
  begin()
  failed = append()
end
if failed then return failed end
redis.call('HSET', state, 'first', first, 'last', last, 'tip', tip, 'room', room)
return 1
`;

const shaOf = (script: string): string => createHash('sha1').update(script).digest('hex');
const SCRIPTS = new Map([READ, APPEND].map((script) => [script, shaOf(script)]));

type ReadAnswer = readonly [
  epoch: string,
  first: number,
  last: number,
  tip: string,
  nowMs: number,
  entries: readonly (readonly [id: string, sealed: string, takenAtMs: string, own: string, previous: string])[],
];

export class RevocationStream {
  readonly #state: string;
  readonly #stream: string;
  readonly #room: string;

  constructor(issuer: string, maxRevocations: number) {
    // In braces what both have in common, so that a cluster has them in one place.
    const name = createHash('sha256').update(issuer).digest('hex').slice(0, 16);
    this.#state = `nestjs-keycloak-s2s:{${name}}:revocations:state`;
    this.#stream = `nestjs-keycloak-s2s:{${name}}:revocations`;
    this.#room = String(Math.max(LEAST_ROOM, ROOM * maxRevocations));
  }

  /** Throws `ValkeyError` where the server drops entries when its memory is full: denials would be among them, and it would not show. */
  async checkPolicy(connection: ValkeyConnection): Promise<void> {
    const info = String(await connection.send(['INFO', 'memory'], COMMAND_MS));
    const valueOf = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    if (valueOf('maxmemory') !== '0' && valueOf('maxmemory_policy') !== 'noeviction') {
      throw new ValkeyError('maxmemory_policy_must_be_noeviction');
    }
  }

  /** What follows `position`, or the oldest; undefined where there is no stream of ours. */
  async read(connection: ValkeyConnection, position: number | undefined): Promise<StreamPage | undefined> {
    const answer = (await this.#run(connection, READ, [
      String(position ?? -1),
      String(PAGE),
      String(MAX_BYTES),
    ])) as ReadAnswer | null;
    if (answer === null) return undefined;
    const [epoch, first, last, tip, nowMs, entries] = answer;
    return {
      epoch,
      first,
      last,
      tip,
      entries: entries.map(([number, sealed, takenAtMs, id, previous]) => ({
        number: /^\d{1,15}-0$/.test(number) ? Number(number.slice(0, -2)) : Number.NaN,
        sealed,
        ageSeconds: /^\d+$/.test(takenAtMs) ? Math.max(0, (nowMs - Number(takenAtMs)) / 1000) : 0,
        id,
        previous,
      })),
    };
  }

  /** Until there is an entry after `position`, for a second at most. */
  async wait(connection: ValkeyConnection, position: number): Promise<void> {
    const args = [
      'XREAD',
      'COUNT',
      '1',
      'BLOCK',
      String(BLOCK_MS),
      'STREAMS',
      this.#stream,
      `${position}-${LAST_PART}`,
    ];
    await connection.send(args, COMMAND_MS + BLOCK_MS);
  }

  /** A new epoch, where there is none and in place of `ended`, unless another replica began one: whoever reads begins anew, and appends what it holds. */
  async beginEpoch(connection: ValkeyConnection, ended = ''): Promise<void> {
    await this.#append(connection, [], ended, '');
  }

  async append(connection: ValkeyConnection, entries: readonly NewEntry[]): Promise<void> {
    await this.#append(connection, entries, '', '');
  }

  /** Only if the newest entry of this epoch is still that one; false if not. */
  async appendAfter(
    connection: ValkeyConnection,
    entries: readonly NewEntry[],
    { epoch, position }: { readonly epoch: string; readonly position: number },
  ): Promise<boolean> {
    return this.#append(connection, entries, '', `${epoch}:${position}-0`);
  }

  async #append(
    connection: ValkeyConnection,
    entries: readonly NewEntry[],
    ended: string,
    expected: string,
  ): Promise<boolean> {
    const [epoch, ids] = [randomBytes(16).toString('hex'), `${randomBytes(12).toString('hex')}-`];
    const added = entries.flatMap(({ sealed, usefulMs }) => [sealed, String(Math.ceil(usefulMs))]);
    return (await this.#run(connection, APPEND, [epoch, ended, expected, ids, this.#room, ...added])) === 1;
  }

  async #run(connection: ValkeyConnection, script: string, args: readonly string[]): Promise<unknown> {
    const all = ['2', this.#state, this.#stream, ...args];
    try {
      return await connection.send(['EVALSHA', SCRIPTS.get(script) ?? '', ...all], COMMAND_MS);
    } catch (error) {
      if (!(error instanceof ValkeyError) || error.message !== 'noscript') throw error;
      return connection.send(['EVAL', script, ...all], COMMAND_MS);
    }
  }
}
