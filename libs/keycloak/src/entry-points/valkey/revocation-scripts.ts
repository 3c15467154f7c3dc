import { ValkeyScript } from './valkey-script.js';

/** Twice the largest `maxRevocations`. */
export const MAX_CAPACITY = 2_000_000;

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
local isWhole = epoch and #epoch <= 64 and string.find(epoch, '^%x+$') and first and last and first <= last + 1
`;

/**
 * KEYS: state, stream, proof. ARGV: number of the last read entry (-1: none), maximum number of entries, maximum bytes
 * of an entry.
 */
export const READ = new ValkeyScript(
  `${STATE}
if not isWhole then return false end
local proof = has(KEYS[3], 'string') and redis.call('GET', KEYS[3]) or ''
local from = tonumber(ARGV[1])
if from < 0 then from = first - 1 end
local entries = {}
for at, entry in ipairs(redis.call('XRANGE', stream, idOf(from + 1), '+', 'COUNT', ARGV[2])) do
  local fields = entry[2]
  entries[at] = { upTo(40, entry[1]), upTo(tonumber(ARGV[3]), fields[2]), upTo(20, fields[4]), upTo(64, fields[8]), upTo(64, fields[10]) }
end
return { epoch, first, last, tip, now, entries, upTo(2048, proof) }
`,
  'read_only',
);

/**
 * Appends entries, and begins a new epoch on request, or if the stream is invalid or full. Appends nothing and returns
 * 0 if the stream is not in the expected state.
 *
 * KEYS: state, stream. ARGV: new epoch, epoch to replace, expected state, prefix of the ids, capacity. For each entry,
 * the sealed text and the lifetime in ms follow.
 */
export const APPEND = new ValkeyScript(`${STATE}
local count = (#ARGV - 5) / 2
local function begin()
  if not has(state, 'hash') then redis.call('DEL', state) end
  epoch, first, last, tip = ARGV[1], 1, 0, ''
  -- If the memory is full, this first write fails, and the old stream stays.
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
local capacity = math.max(tonumber(ARGV[5]), math.min(number('room') or 0, ${MAX_CAPACITY}))
if redis.call('XLEN', stream) + count > capacity then begin() end
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
-- Another process has raised the last number of the stream.
if failed and (string.find(failed.err, 'equal or smaller') or string.find(failed.err, 'exhausted')) then
  begin()
  failed = append()
end
if failed then return failed end
redis.call('HSET', state, 'first', first, 'last', last, 'tip', tip, 'room', capacity)
return 1
`);

/**
 * Takes or renews the lease. Returns the fencing number and the server's time, or false if another replica has the
 * lease.
 *
 * KEYS: lease, number of leases. ARGV: id of the replica, duration of the lease in ms.
 */
export const LEASE = new ValkeyScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local holder = redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('PTTL', KEYS[1]) > 0 and redis.call('GET', KEYS[1])
local fencing, id = string.match(holder or '', '^(%d+):(.+)$')
if holder and #holder <= 64 and fencing then
  if id ~= ARGV[1] then return false end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { tonumber(fencing), now }
end
local last = redis.call('TYPE', KEYS[2]).ok == 'string' and redis.call('GET', KEYS[2]) or ''
if not (#last <= 15 and string.find(last, '^%d+$')) then redis.call('DEL', KEYS[2]) end
local number = redis.call('INCR', KEYS[2])
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], string.format('%d:%s', number, ARGV[1]), 'PX', ARGV[2])
return { number, now }
`);

/**
 * Stores the proof and returns 1. Returns -1 if the lease is lost, and 0 if the poller has not read all entries.
 *
 * KEYS: state, stream, lease, proof. ARGV: lease, expected state, proof.
 */
export const PROVE = new ValkeyScript(`${STATE}
if redis.call('TYPE', KEYS[3]).ok ~= 'string' or redis.call('GET', KEYS[3]) ~= ARGV[1] then return -1 end
if not isWhole or ARGV[2] ~= epoch .. ':' .. idOf(last) then return 0 end
redis.call('DEL', KEYS[4])
redis.call('SET', KEYS[4], ARGV[3])
return 1
`);
