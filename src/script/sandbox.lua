-- What scripts and functions can reach, built once for each Lua state.
--
-- An error that a function of this file raises begins with a place in this file, which is not the script's business:
-- whatever catches an error puts the script's place there (plain, below).
--
-- Lua 5.1 has no read-only tables. So what must not change stands behind a proxy: an empty table whose metatable leads
-- reads to the real one and refuses writes. The functions that look past metatables (rawset, next, table.insert ...) are
-- wrapped to know the proxies. Functions that could take memory, C stack or time without bound are wrapped too.
--
-- bridge: the functions that the server offers.
-- limits: string_bytes, pattern_bytes, coroutines, moved. flavor: 'eval' or 'functions'. deprecated: see below.
local bridge, limits, flavor, deprecated = ...

local collectgarbage, error, getmetatable, loadstring, next = collectgarbage, error, getmetatable, loadstring, next
local pairs, pcall, rawget, rawset, select, setmetatable = pairs, pcall, rawget, rawset, select, setmetatable
local tonumber, tostring, type, unpack, xpcall = tonumber, tostring, type, unpack, xpcall
local byte, sub, floor = string.byte, string.sub, math.floor
local concat, insert, remove = table.concat, table.insert, table.remove
local create, resume, running, status = coroutine.create, coroutine.resume, coroutine.running, coroutine.status

local READONLY = 'Attempt to modify a readonly table'

---------------------------------------------------------------------------------------------- read-only tables

local behind = {} -- proxy -> what stands behind it

local function refuse_write() error(READONLY, 2) end

local function seal(real, shown_metatable)
  local proxy = setmetatable({}, { __index = real, __newindex = refuse_write, __metatable = shown_metatable or false })
  behind[proxy] = real
  return proxy
end

---------------------------------------------------------------------------------------------- base library

local G = {}       -- the globals
local loading = {} -- the globals while a library of functions is being loaded
local scope        -- what scripts have as _G: a proxy of one of the two

for _, name in pairs {
  'assert', 'error', 'gcinfo', 'ipairs', 'rawequal', 'select', 'tonumber', 'tostring', 'type', '_VERSION',
} do
  G[name] = _G[name]
end

-- What this file raises has the wrong place.
local function plain(failure)
  if type(failure) == 'string' and sub(failure, 1, 8) == 'sandbox:' then return bridge.placed(failure) end
  return failure
end

local function message_of(failure)
  failure = plain(failure)
  if type(failure) == 'table' then
    local message = rawget(failure, 'err')
    if type(message) == 'string' then return message end
    if type(message) == 'number' then return tostring(message) end
  end
  return failure
end

local function caught(ok, failure, ...)
  if ok then return true, failure, ... end
  return false, message_of(failure)
end

function G.pcall(...) return caught(pcall(...)) end

function G.xpcall(action, ...)
  local handler = ...
  if type(handler) ~= 'function' then return xpcall(action, ...) end
  return xpcall(action, function(failure)
    -- A killed script's error is raised in a hook, where no further hook would end a handler that never returns.
    if bridge.is_killed() then return plain(failure) end
    return handler(plain(failure))
  end)
end

function G.getmetatable(object)
  local shown = getmetatable(object)
  if shown == false and behind[object] then return nil end
  return shown
end

function G.setmetatable(...)
  if behind[(...)] then error(READONLY, 0) end
  return setmetatable(...)
end

function G.rawget(object, key)
  return rawget(behind[object] or object, key)
end

function G.rawset(object, key, value)
  if behind[object] then error(READONLY, 0) end
  return rawset(object, key, value)
end

function G.next(object, key)
  return next(behind[object] or object, key)
end

function G.pairs(object)
  local real = object ~= nil and behind[object]
  if real then
    object = {}
    for key, value in next, real do object[key] = value end
  end
  return pairs(object)
end

-- Lua counts the results in 32 bits without looking whether they fit: far bounds must not get there.
function G.unpack(list, first, last)
  if first == nil and last == nil and type(list) == 'table' and #list < 8000 then return unpack(list) end
  local from, to = tonumber(first), tonumber(last)
  if type(list) ~= 'table' or (first ~= nil and not from) or (last ~= nil and not to) then
    return unpack(list, first, last)
  end
  from, to = from or 1, to or #list
  if from > to then return end
  if not (to - from < 8000) or from < -2147483648 or to > 2147483647 then error('too many results to unpack') end
  return unpack(list, from, to)
end

function G.loadstring(text, name)
  if type(text) == 'string' and byte(text, 1) == 27 then return nil, 'binary chunks are not allowed' end
  return loadstring(text, name)
end

function G.load(reader, name)
  if type(reader) ~= 'function' then
    error("bad argument #1 to 'load' (function expected, got " .. type(reader) .. ')')
  end
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == '' then break end
    if type(piece) ~= 'string' and type(piece) ~= 'number' then return nil, 'reader function must return a string' end
    pieces[#pieces + 1] = piece
  end
  return G.loadstring(concat(pieces), name or '=(load)')
end

local COLLECTIONS = { collect = true, count = true, step = true }

function G.collectgarbage(option, argument)
  option = option or 'collect'
  if type(option) ~= 'string' or COLLECTIONS[option] then return collectgarbage(option, argument) end
  -- The pace of the collector is the server's: a script can ask, not change.
  if option == 'stop' or option == 'restart' or option == 'setpause' or option == 'setstepmul' then return 0 end
  return collectgarbage(option, argument)
end

---------------------------------------------------------------------------------------------- string

local strings = {}
for name, value in pairs(string) do strings[name] = value end

local rep = string.rep

local function repeated(text, count)
  if #text * count <= 4096 then return rep(text, count) end
  local half = repeated(text, floor(count / 2))
  if count % 2 == 0 then return half .. half end
  return half .. half .. text
end

function strings.rep(...)
  local text, count = ...
  local bytes = (type(text) == 'string' or type(text) == 'number') and #tostring(text)
  local times = tonumber(count)
  if not bytes or not times then return rep(...) end
  if bytes == 0 or not (times >= 1) then return '' end
  if bytes * times > limits.string_bytes then error('resulting string too large') end
  return repeated(tostring(text), floor(times))
end

-- Each item of a pattern may be a call in C: a long pattern is looked at before it runs. What is called bears the name
-- that Lua's own errors tell of it.
local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
local pattern_bytes = limits.pattern_bytes

local function check_long(pattern)
  if bridge.is_deep_pattern(pattern) then error('pattern too complex') end
end

function strings.find(text, pattern, ...)
  if type(pattern) == 'string' and #pattern > pattern_bytes and not select(2, ...) then check_long(pattern) end
  return find(text, pattern, ...)
end

function strings.match(text, pattern, ...)
  if type(pattern) == 'string' and #pattern > pattern_bytes then check_long(pattern) end
  return match(text, pattern, ...)
end

function strings.gmatch(text, pattern, ...)
  if type(pattern) == 'string' and #pattern > pattern_bytes then check_long(pattern) end
  return gmatch(text, pattern, ...)
end

function strings.gsub(text, pattern, ...)
  if type(pattern) == 'string' and #pattern > pattern_bytes then check_long(pattern) end
  -- A replacement (a function, or a table that looks its fields up by one) may call gsub again, and each of them takes a
  -- buffer on the C stack.
  if type((...)) ~= 'string' and bridge.is_deep() then error('C stack overflow') end
  return gsub(text, pattern, ...)
end

strings.gfind = strings.gmatch

G.string = seal(strings)
local string_metatable = getmetatable('')
string_metatable.__index = strings
string_metatable.__metatable = seal({ __index = G.string })

---------------------------------------------------------------------------------------------- table, math, os

local tables = {}
for name, value in pairs(table) do tables[name] = value end

-- Lua moves what is behind a position one by one, without a look at the clock: a table may seem to have 2^30 elements, and
-- a position may be as far below them.
local function check_moved(list, position)
  local first = tonumber(position) or 1
  if type(list) == 'table' and not (#list - first <= limits.moved and first <= 2147483647) then
    error('position out of bounds')
  end
end

function tables.insert(list, ...)
  if behind[list] then error(READONLY, 0) end
  if select('#', ...) > 1 then check_moved(list, (...)) end
  return insert(list, ...)
end

function tables.remove(list, ...)
  if behind[list] then error(READONLY, 0) end
  if select('#', ...) > 0 then check_moved(list, (...)) end
  return remove(list, ...)
end

function tables.foreachi(list, action)
  if type(list) ~= 'table' or type(action) ~= 'function' then return table.foreachi(list, action) end
  for index = 1, #list do
    local result = action(index, rawget(list, index))
    if result ~= nil then return result end
  end
end

G.table = seal(tables)

local maths = {}
for name, value in pairs(math) do maths[name] = value end

local function integer(value, index, name)
  local number = tonumber(value)
  if not number then
    error('bad argument #' .. index .. " to '" .. name .. "' (number expected, got " .. type(value) .. ')')
  end
  return number < 0 and -floor(-number) or floor(number)
end

function maths.random(...)
  local chance = bridge.random()
  local count = select('#', ...)
  if count == 0 then return chance end
  if count > 2 then error('wrong number of arguments') end
  local low, high = ...
  low = integer(low, 1, 'random')
  if count == 1 then low, high = 1, low else high = integer(high, 2, 'random') end
  if low > high then error('bad argument #' .. count .. " to 'random' (interval is empty)") end
  return floor(chance * (high - low + 1)) + low
end

function maths.randomseed(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'randomseed' (number expected, got no value)") end
  bridge.seed_random(integer((...), 1, 'randomseed'))
end

G.math = seal(maths)
G.os = seal { clock = os.clock }

---------------------------------------------------------------------------------------------- coroutine

-- Every resumed coroutine takes C stack, and has a hook of its own: so how many are inside one another is bounded, and a
-- killed script does not get to resume another one.
local depth = { 0 } -- set to 0 before each run

local function resumed(ok, failure, ...)
  depth[1] = depth[1] - 1
  if bridge.is_killed() then error(bridge.killed_text(), 0) end
  if ok then return ok, failure, ... end
  return ok, plain(failure)
end

local function guarded_resume(routine, ...)
  if depth[1] >= limits.coroutines or bridge.is_deep() then return false, 'C stack overflow' end
  if bridge.is_killed() then error(bridge.killed_text(), 0) end
  depth[1] = depth[1] + 1
  return resumed(resume(routine, ...))
end

local function unwrapped(ok, failure, ...)
  if ok then return failure, ... end
  local kind = type(failure)
  error(failure, (kind == 'string' or kind == 'number') and 1 or 0)
end

G.coroutine = seal {
  create = create,
  resume = guarded_resume,
  running = running,
  status = status,
  yield = coroutine.yield,
  wrap = function(action)
    local wrap = create -- the name is told in its error
    local routine = wrap(action)
    return function(...) return unwrapped(guarded_resume(routine, ...)) end
  end,
}

---------------------------------------------------------------------------------------------- libraries of the server


for name, library in pairs(bridge.libraries) do G[name] = seal(library) end

---------------------------------------------------------------------------------------------- redis

local redis = {
  call = bridge.call,
  pcall = bridge.pcall,
  log = bridge.log,
  sha1hex = bridge.sha1hex,
  setresp = bridge.setresp,
  set_repl = bridge.set_repl,
  acl_check_cmd = bridge.acl_check_cmd,
  error_reply = bridge.error_reply,
  status_reply = bridge.status_reply,
  replicate_commands = function() return true end,
  breakpoint = function() return false end,
  debug = function() end,
}
for name, value in pairs(bridge.constants) do redis[name] = value end

if flavor == 'functions' then
  redis.replicate_commands, redis.breakpoint, redis.debug = nil, nil, nil
end
G.redis = seal(redis)

---------------------------------------------------------------------------------------------- register_function

local function throw(text) error({ err = text }, 0) end

local NAMED = { function_name = 'string', callback = 'function', flags = 'table', description = 'string' }

local function named_arguments(given)
  local got = {}
  for key, value in next, given do
    if type(key) == 'number' then key = tostring(key) end
    if type(key) ~= 'string' then
      throw('ERR named argument key given to redis.register_function is not a string')
    end
    local wanted = NAMED[key]
    if not wanted then throw('ERR unknown argument given to redis.register_function') end
    if wanted == 'string' and type(value) == 'number' then value = tostring(value) end
    if type(value) ~= wanted then
      if key == 'flags' then
        throw('ERR flags argument to redis.register_function must be a table representing function flags')
      end
      throw('ERR ' .. key .. ' argument given to redis.register_function must be a ' .. wanted)
    end
    got[key] = value
  end
  if not got.function_name then throw('ERR redis.register_function must get a function name argument') end
  if not got.callback then throw('ERR redis.register_function must get a callback argument') end
  return got
end

local function register_function(...)
  local count = select('#', ...)
  local first, second = ...
  if count < 1 or count > 2 then throw('ERR wrong number of arguments to redis.register_function') end
  local got
  if count == 1 then
    if type(first) ~= 'table' then
      throw('ERR calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).')
    end
    got = named_arguments(first)
  else
    if type(first) == 'number' then first = tostring(first) end
    if type(first) ~= 'string' then throw('ERR first argument to redis.register_function must be a string') end
    if type(second) ~= 'function' then throw('ERR second argument to redis.register_function must be a function') end
    got = { function_name = first, callback = second }
  end
  local flags = {}
  for index = 1, #(got.flags or flags) do flags[index] = got.flags[index] end
  bridge.register(got.function_name, got.callback, flags, got.description)
end

---------------------------------------------------------------------------------------------- globals

local function missing(_, name)
  error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end
setmetatable(G, { __index = missing })

if flavor == 'functions' then
  local api = { register_function = register_function, log = redis.log }
  for name, value in pairs(bridge.constants) do
    if sub(name, 1, 5) ~= 'REPL_' then api[name] = value end
  end
  loading.redis = seal(setmetatable(api, { __index = missing }))
end
setmetatable(loading, { __index = missing })

local scope_metatable = { __index = G, __newindex = refuse_write }
scope_metatable.__metatable = seal({ __index = missing })
scope = setmetatable({}, scope_metatable)
behind[scope] = G
G._G = scope

---------------------------------------------------------------------------------------------- deprecated functions

-- Offered where the configuration asks for them, cut down to what does not lead out: the globals of this file are not shown
-- and not replaced, and no userdata gets a finalizer (Lua would call it in the middle of the server's own steps).
if deprecated then
  local getfenv, setfenv, newproxy, outside = getfenv, setfenv, newproxy, getfenv(1)

  -- Levels count from the caller: one more from here.
  local function target(f)
    local level = tonumber(f)
    if f == nil then return 2 end
    if not level then return f end
    return level >= 1 and level + 1 or nil
  end

  function G.getfenv(f)
    local of = target(f)
    local environment = of and getfenv(of)
    if environment == nil or environment == outside then return scope end
    return environment
  end

  function G.setfenv(f, environment)
    local of = target(f)
    if not of or getfenv(of) == outside then error("'setfenv' cannot change environment of given object") end
    setfenv(of, environment)
    return f
  end

  local function without_finalizer(real)
    local function set(_, key, value)
      if key ~= '__gc' and key ~= '__metatable' then real[key] = value end
    end
    return setmetatable({}, { __index = real, __newindex = set, __metatable = false })
  end

  function G.newproxy(kind)
    local proxy = newproxy(kind)
    if kind == true then
      local real = getmetatable(proxy)
      real.__metatable = without_finalizer(real)
    end
    return proxy
  end
end

---------------------------------------------------------------------------------------------- running

-- Turns what was raised into a table {err, source, line}; runs where it was raised. What was raised stays as it is: it may
-- be a library.
local function on_failure(failure)
  local source, line = bridge.place()
  failure = plain(failure)
  local text, counted
  if type(failure) == 'table' then
    text, counted = rawget(failure, 'err'), rawget(failure, 'ignore_error_stats_update')
  else
    text = 'ERR ' .. (type(failure) == 'string' and failure or tostring(failure))
  end
  return { err = text, source = source, line = line, ignore_error_stats_update = counted }
end

if flavor == 'eval' then G.KEYS, G.ARGV = {}, {} end

-- Runs the code of a library; what it raised.
local function load(code)
  scope_metatable.__index = loading
  behind[scope] = loading
  local ok, failure = xpcall(code, on_failure)
  scope_metatable.__index = G
  behind[scope] = G
  if not ok then return type(failure) == 'table' and failure or { err = 'ERR ' .. tostring(failure) } end
end

return scope, { globals = G, on_failure = on_failure, depth = depth, load = load }
