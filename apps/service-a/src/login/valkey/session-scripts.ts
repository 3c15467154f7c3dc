import { ValkeyScript } from 'nestjs-keycloak-s2s/valkey';

/**
 * Valkey stores a session in a hash. The field `s` is the sealed session, and the field `i` is the `iat` of the login.
 * The fields `u` and `d` are the keys of the indexes by user and by Keycloak's session. The fields `eu` and `ed` are
 * the keys of the end marks, which contain end times.
 *
 * An index is a `zset` of session names, sorted by the time of the session's last change. An index expires with the
 * session that expires last. A key with an unexpected Valkey type counts as missing, since other code has set the key.
 * If an index is damaged, `END` can't find the session. `FIND` still returns no ended session, because it reads the end
 * mark.
 */
const COMMON = `
local function is(key, kind)
  return redis.call('TYPE', key).ok == kind
end
local function ready(index)
  if not is(index, 'zset') then redis.call('DEL', index) end
end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function text(key, field, length)
  local found = is(key, 'hash') and redis.call('HGET', key, field)
  return found and #found <= length and found
end
local function value(key, length)
  return is(key, 'string') and redis.call('STRLEN', key) <= length and redis.call('GET', key)
end
local function begins(name, kind, all)
  local prefix = string.sub(all, 1, -#'sessions' - 1) .. kind
  return string.sub(name, 1, #prefix) == prefix
end
-- Other processes may have added names to an index. This function reads and deletes only sessions.
local function remove(session, all)
  if begins(session, 'session:', all) then
    for _, field in ipairs({ 'u', 'd' }) do
      local index = text(session, field, 256)
      if index and begins(index, 'by-', all) and is(index, 'zset') then redis.call('ZREM', index, session) end
    end
    redis.call('DEL', session)
  end
  if is(all, 'zset') then redis.call('ZREM', all, session) end
end
-- Returns when the sessions of a mark ended, in seconds. A mark that is impossible or never expires counts as missing.
local function ended(mark)
  local at = redis.call('PTTL', mark) >= 0 and tonumber(value(mark, 20))
  return at and at <= now() / 1000 + 3600 and at
end
local function long(key, ms)
  if redis.call('PTTL', key) < tonumber(ms) then redis.call('PEXPIRE', key, ms) end
end
`;

/** Exceeds the size of a session with a long user name and many claims. */
export const MAX_SEALED = 262_144;

/**
 * Returns the sealed session (false if the session has ended), the sealed rechecks and the server's time.
 *
 * KEYS: session, recheck.
 */
export const FIND = new ValkeyScript(`${COMMON}
local function hasEnded(session)
  local ofSession, ofUser = text(session, 'ed', 256), text(session, 'eu', 256)
  if ofSession and ended(ofSession) then return true end
  local at = ofUser and ended(ofUser)
  return at and (tonumber(text(session, 'i', 20) or 0) or 0) <= at
end
return { not hasEnded(KEYS[1]) and text(KEYS[1], 's', ${MAX_SEALED}), value(KEYS[2], 1024), now() }
`);

/**
 * Returns 0 and adds no session if the session has already ended. Applies the limit per user first, so that a user at
 * this limit evicts only their own sessions.
 *
 * KEYS: session, all, index by user, index by Keycloak's session. If Keycloak's session is unknown, the fourth key
 * equals the third key. The keys after the fourth key are the user's other indexes, the session's end marks, and the
 * user's end marks.
 *
 * ARGV: sealed session, lifetime in ms, limit per user, total limit, idle time in ms, `iat`, number of the user's other
 * indexes, number of the session's end marks.
 */
export const ADD = new ValkeyScript(`${COMMON}
local session, all = KEYS[1], KEYS[2]
local time = now()
local lastIndex = 4 + tonumber(ARGV[7])
local lastOfSession = lastIndex + tonumber(ARGV[8])
for at = lastIndex + 1, #KEYS do
  local endedAt = ended(KEYS[at])
  if endedAt and (at <= lastOfSession or tonumber(ARGV[6]) <= endedAt) then return 0 end
end
-- If the memory is full, this first write fails, and the script changes nothing.
redis.call('HSET', session, 's', ARGV[1], 'i', ARGV[6], 'u', KEYS[3], 'd', KEYS[4], 'eu', KEYS[lastOfSession + 1])
if ARGV[8] ~= '0' then redis.call('HSET', session, 'ed', KEYS[lastIndex + 1]) end
redis.call('PEXPIRE', session, ARGV[2])
ready(all)
-- Sessions that were idle for a longer time have already expired.
redis.call('ZREMRANGEBYSCORE', all, '-inf', time - tonumber(ARGV[5]))
ready(KEYS[3])
local own = {}
for at = 3, lastIndex do
  local index = KEYS[at]
  if (at == 3 or at > 4) and is(index, 'zset') then
    for _, one in ipairs(redis.call('ZRANGE', index, 0, -1)) do
      local isThere = begins(one, 'session:', all) and is(one, 'hash')
      if isThere then own[#own + 1] = { one, tonumber(redis.call('ZSCORE', index, one)) } else redis.call('ZREM', index, one) end
    end
  end
end
table.sort(own, function(one, other) return one[2] < other[2] end)
for at = 1, #own + 1 - tonumber(ARGV[3]) do remove(own[at][1], all) end
while redis.call('ZCARD', all) >= tonumber(ARGV[4]) do remove(redis.call('ZRANGE', all, 0, 0)[1], all) end
ready(KEYS[4])
for at = 3, 4 do
  redis.call('ZADD', KEYS[at], time, session)
  long(KEYS[at], ARGV[2])
end
redis.call('ZADD', all, time, session)
long(all, ARGV[2])
return 1
`);

/**
 * Returns 1, or 0 if another call has changed the session since the read.
 *
 * KEYS: session, all. ARGV: beginning of the old text, new text, lifetime in ms.
 */
export const CHANGE = new ValkeyScript(`${COMMON}
local found = text(KEYS[1], 's', ${MAX_SEALED})
if not found or string.sub(found, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
-- The order matters: PEXPIRE needs no memory. After this write, Valkey permits HSET even if the memory is full.
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[1], 's', ARGV[2])
local indexes = { KEYS[2], text(KEYS[1], 'u', 256), text(KEYS[1], 'd', 256) }
for at = 1, 3 do
  local index = indexes[at]
  if index and (at == 1 or begins(index, 'by-', KEYS[2])) and is(index, 'zset') then
    -- A replica with a shorter idle time may have removed the session from the index of all sessions.
    redis.call('ZADD', index, at == 1 and 'CH' or 'XX', now(), KEYS[1])
    long(index, ARGV[3])
  end
end
return 1
`);

/**
 * Deletes the session if the sealed text begins with the given text. KEYS: session, all. ARGV: the given text (an empty
 * text always matches).
 */
export const DELETE = new ValkeyScript(`${COMMON}
local found = text(KEYS[1], 's', ${MAX_SEALED})
if ARGV[1] ~= '' and (not found or string.sub(found, 1, #ARGV[1]) ~= ARGV[1]) then return 0 end
remove(KEYS[1], KEYS[2])
return 1
`);

/**
 * Deletes all sessions in the given indexes, and sets the given end marks.
 *
 * KEYS: all, end marks, indexes. ARGV: `iat` of the notice, lifetime of the end marks in ms, number of end marks.
 */
export const END = new ValkeyScript(`${COMMON}
local lastMark = 1 + tonumber(ARGV[3])
for at = 2, lastMark do
  local mark = KEYS[at]
  local before = ended(mark) or 0
  -- Replicas with a longer session lifetime need their marks for longer.
  local ms = before > 0 and math.max(tonumber(ARGV[2]), redis.call('PTTL', mark)) or ARGV[2]
  -- The order matters: after PEXPIRE, Valkey permits SET even if the memory is full.
  redis.call('PEXPIRE', mark, ms)
  redis.call('SET', mark, string.format('%d', math.max(before, tonumber(ARGV[1]))), 'PX', ms)
end
for at = lastMark + 1, #KEYS do
  if is(KEYS[at], 'zset') then
    for _, session in ipairs(redis.call('ZRANGE', KEYS[at], 0, -1)) do remove(session, KEYS[1]) end
  end
  redis.call('DEL', KEYS[at])
end
return 1
`);

/**
 * Sets a text if no other call has changed the text since the read. KEYS: text. ARGV: mode (1 always sets the text),
 * old text (empty if missing), new text, lifetime in ms.
 */
export const REPLACE = new ValkeyScript(`${COMMON}
local found = value(KEYS[1], 1024) or ''
if ARGV[1] ~= '1' and found ~= ARGV[2] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1
`);

/**
 * Returns `[1, server time]` for the first use, and `[0, server time]` for each later use. KEYS: all possible keys of
 * the record. ARGV: lifetime in ms.
 */
export const TAKE = new ValkeyScript(`${COMMON}
for at = 1, #KEYS do
  if redis.call('EXISTS', KEYS[at]) == 1 then return { 0, now() } end
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return { 1, now() }
`);
