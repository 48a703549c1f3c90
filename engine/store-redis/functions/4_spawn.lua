-- New lanes: what each is written with, and all of a commit listed, made ready and shown at once. A commit
-- that spawns is the longest call there is, so what can be one command for all of them is one. Not here: what a
-- lane is.

-- Those that do not exist yet, each once.
local function fresh_of(call, lanes)
  local fresh, seen = {}, {}
  for _, lane in ipairs(lanes) do
    if not seen[lane.id] and redis.call('EXISTS', key(call, 'l', lane.id)) == 0 then
      seen[lane.id] = true
      fresh[#fresh + 1] = lane
    end
  end
  return fresh
end

local function add_field(fields, name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end

-- Hot fields come first: a small hash is searched from its beginning. A log that was begun for a lane that
-- never came to be is begun anew.
local function new_lane(call, lane, now)
  local log = key(call, 'g', lane.id)
  redis.call('DEL', log)
  push_all(log, lane.events)
  local fields = { 'f', '', 'v', digits(#lane.events), 'd', '0', 'ci', '', 'st', 'R', 'ic', '0', 'u', now,
    'p', digits(lane.priority), 'q', lane.queue, 'run', lane.run, 'c', now }
  if lane.parent ~= '' then
    add_field(fields, 'par', lane.parent)
  end
  if lane.plan then
    add_field(fields, 'pl', lane.plan)
  end
  if #lane.summary > SMALL_MAX then
    redis.call('SET', key(call, 's', lane.id), lane.summary)
  else
    add_field(fields, 's', lane.summary)
  end
  redis.call('HSET', key(call, 'l', lane.id), unpack(fields))
end

-- Lists lanes beside a parent that is there, in their order.
local function put_children(call, parent, names, records)
  if redis.call('EXISTS', key(call, 'l', parent)) == 0 then
    return
  end
  local known = redis.call('HMGET', key(call, 'c', parent), unpack(names))
  local new = {}
  for place, name in ipairs(names) do
    if not known[place] then
      new[#new + 1] = name
    end
  end
  if #new > 0 then
    push_all(key(call, 'co', parent), new)
  end
  redis.call('HSET', key(call, 'c', parent), unpack(records))
end

-- One that nobody lists is listed under its run: the archive finds it there.
local function list_lanes(call, lanes, is_root)
  local parents = {}
  for _, lane in ipairs(lanes) do
    if lane.parent ~= '' and lane.key ~= '' then
      local found = parents[lane.parent] or { names = {}, records = {} }
      parents[lane.parent] = found
      found.names[#found.names + 1] = lane.key
      found.records[#found.records + 1] = lane.key
      found.records[#found.records + 1] = lane.id .. '0'
    elseif not is_root then
      put_entry(call, 'strays:' .. lane.run, lane.id, score_text(call, call.now), '')
    end
  end
  for parent, found in pairs(parents) do
    put_children(call, parent, found.names, found.records)
  end
end

-- The lanes' entries in the feed.
local function show_lanes(call, lanes, seq)
  local entries, at = {}, digits(seq)
  for place, lane in ipairs(lanes) do
    entries[2 * place - 1], entries[2 * place] = at, lane.id
  end
  redis.call('ZADD', call.prefix .. 'feed', unpack(entries))
  trim_feed(call.prefix .. 'feed', seq)
end

-- Makes the lanes unless they exist.
local function spawn(call, lanes, seq, is_root)
  local fresh, now = fresh_of(call, lanes), digits(call.now)
  if #fresh == 0 then
    return
  end
  for _, lane in ipairs(fresh) do
    new_lane(call, lane, now)
  end
  list_lanes(call, fresh, is_root)
  make_all_ready(call, fresh)
  show_lanes(call, fresh, seq)
end

local function read_spawn(args)
  local lane = {
    id = args:next(),
    run = args:next(),
    parent = args:next(),
    key = args:next(),
    queue = args:next(),
    priority = tonumber(args:next()),
    summary = args:next(),
  }
  lane.events = args:list(tonumber(args:next()))
  return lane
end
