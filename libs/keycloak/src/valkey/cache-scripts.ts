/** Cache scripts: how an entry is looked for, and kept. */
import { ValkeyScript } from './valkey-script.js';

/** Longer than any answer or token of ours. */
const MAX_SEALED = 131_072;

/** An entry is a hash: `s` sealed, `a` when it was asked for, `f` whether it is final (1). What is of another type is somebody else's. */
const COMMON = `
local function field(name, length)
  local found = redis.call('TYPE', KEYS[1]).ok == 'hash' and redis.call('HGET', KEYS[1], name)
  return found and #found <= length and found
end
local asked = tonumber(field('a', 20) or '')
`;

/**
 * What was asked for since a time; else whether this replica has the lease now, or had it.
 *
 * KEYS: entry, lease. ARGV: most ms ago, id of the replica, ms of a lease.
 */
export const LOOK = new ValkeyScript(`${COMMON}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if asked and now - asked < tonumber(ARGV[1]) then
  local sealed = field('s', ${MAX_SEALED})
  if sealed then return { sealed, 0, now } end
end
local isMine = redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
return { false, isMine and 1 or 0, now }
`);

/**
 * Keeps an entry, unless one is there that was asked for later, or is final when this one is not; and ends the replica's lease.
 *
 * KEYS: entry, lease. ARGV: sealed, when it was asked for, ms to live, whether it is final, id of the replica.
 */
export const PUT = new ValkeyScript(`${COMMON}
local isFinal = field('f', 1) == '1'
if not isFinal and (ARGV[4] == '1' or not asked or asked < tonumber(ARGV[2])) then
  local kind = redis.call('TYPE', KEYS[1]).ok
  if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
  -- First: where the memory is full, this fails, and nothing is changed.
  redis.call('HSET', KEYS[1], 's', ARGV[1], 'a', ARGV[2], 'f', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
if redis.call('TYPE', KEYS[2]).ok == 'string' and redis.call('GET', KEYS[2]) == ARGV[5] then redis.call('DEL', KEYS[2]) end
return 1
`);

/** Ends the replica's lease. KEYS: lease. ARGV: id of the replica. */
export const RELEASE = new ValkeyScript(`
if redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);
