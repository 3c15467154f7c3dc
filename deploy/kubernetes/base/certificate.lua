-- Loads a new certificate into HAProxy when the files of the certificate change. HAProxy keeps open connections, and
-- no process restarts.
-- Arguments (lua-load in haproxy.cfg): the certificate's file, the key's file, HAProxy's admin socket, the interval
-- between reads in seconds.
local certificate, key, admin, seconds = table.unpack({ ... })

local function read(path)
  local file = io.open(path, 'r')
  if not file then return '' end
  local text = file:read('a')
  file:close()
  return text
end

-- Sends a command to HAProxy's admin socket, and returns the answer.
local function command(text)
  local socket = core.tcp()
  socket:settimeout(5)
  if not socket:connect(admin) then return 'the admin socket does not answer' end
  socket:send(text .. '\n')
  local answer = socket:receive('*a') or ''
  socket:close()
  return answer
end

-- At `commit`, HAProxy compares the certificate with the key. If they do not match, HAProxy keeps the former pair.
local function use(pem)
  local set = command('set ssl cert ' .. certificate .. ' <<\n' .. pem .. '\n')
  local committed = command('commit ssl cert ' .. certificate)
  if string.find(committed, 'Success', 1, true) then return nil end
  command('abort ssl cert ' .. certificate)
  return set .. ' ' .. committed
end

-- Removes empty lines, because an empty line would end the command.
local function readPair()
  return (string.gsub(read(certificate) .. '\n' .. read(key), '\n%s*\n', '\n'))
end

-- HAProxy loaded this pair at its start.
local current = readPair()
local refused = ''

core.register_task(function()
  while true do
    core.sleep(tonumber(seconds))
    local both = readPair()
    if both ~= current then
      local fault = use(both)
      if not fault then
        current, refused = both, ''
        core.log(core.notice, 'Uses the new certificate in ' .. certificate)
      elseif both ~= refused then
        refused = both
        core.log(core.err, 'Keeps the former certificate: ' .. certificate .. ' and its key were refused: ' .. (string.gsub(fault, '%s+', ' ')))
      end
    end
  end
end)
