import { ValkeyScript } from './valkey-script.js';

const MAX_SEALED = 131_072;

/** An entry has the fields `s` (the sealed text), `a` (the time of the request) and `f` (1 for a final entry). */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function field(name, length)
  local found = redis.call('TYPE', KEYS[1]).ok == 'hash' and redis.call('HGET', KEYS[1], name)
  return found and #found <= length and found
end
local function number(text)
  return text and string.find(text, '^%d+$') and tonumber(text)
end
local asked = redis.call('PTTL', KEYS[1]) > 0 and number(field('a', 15))
if asked and asked > now then asked = false end
`;

export const TIME = new ValkeyScript(`
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)
`);

/**
 * Returns a usable entry, or takes the lease if the caller still waits.
 *
 * KEYS: entry, lease. ARGV: maximum age of the entry in ms, id of the replica, lease duration in ms, prefix of
 * ignored sealed texts, latest start of a lease in ms.
 */
export const LOOK = new ValkeyScript(`${COMMON}
if asked and now - asked < tonumber(ARGV[1]) then
  local sealed = field('s', ${MAX_SEALED})
  if sealed and (ARGV[4] == '' or string.sub(sealed, 1, #ARGV[4]) ~= ARGV[4]) then return { sealed, 0, now } end
end
if now > tonumber(ARGV[5]) then return { false, 0, now } end
local isMine = redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
return { false, isMine and 1 or 0, now }
`);

/**
 * Never replaces a final entry, and replaces a newer entry only with a final entry. Does not store an entry that would
 * look too young after the server's clock went back.
 *
 * KEYS: entry, lease. ARGV: sealed text, time of the request in ms, lifetime of the entry in ms, 1 for a final entry,
 * id of the replica, minimum age of the request in ms.
 */
export const PUT = new ValkeyScript(`${COMMON}
local isFinal = asked and field('f', 1) == '1'
local isPossible = tonumber(ARGV[2]) <= now - tonumber(ARGV[6])
if isPossible and not isFinal and (ARGV[4] == '1' or not asked or asked < tonumber(ARGV[2])) then
  local kind = redis.call('TYPE', KEYS[1]).ok
  if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
  -- If the memory is full, this first write fails, and the old entry stays.
  redis.call('HSET', KEYS[1], 's', ARGV[1], 'a', ARGV[2], 'f', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
if redis.call('TYPE', KEYS[2]).ok == 'string' and redis.call('GET', KEYS[2]) == ARGV[5] then redis.call('DEL', KEYS[2]) end
return 1
`);

/** KEYS: lease. ARGV: holder of the lease. */
export const RELEASE = new ValkeyScript(`
if redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);

/** KEYS: lease. ARGV: holder of the lease, duration in ms. */
export const EXTEND = new ValkeyScript(`
if redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`);
