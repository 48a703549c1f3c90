-- The one atomic write: first every condition, then every write, the header's version last. Not
-- here: anything that can refuse after the first write.
--
-- ARGV: lane, fence, version, commit id, then, inbox_used, in_call, forgive, events, event..., and
-- sections that begin with a letter; O, the number of letters that the holder knows, is the first one.

local SECTION = {
  O = function(_, args) args:next() end,
  S = function(b, args) b.summary = args:next() end,
  N = function(b, args) b.snapshot = args:next() end,
  X = function(b, args)
    for position = 1, tonumber(args:next()) do
      b.expect[position] = { args:next(), args:next() }
    end
  end,
  D = function(b, args)
    for position = 1, tonumber(args:next()) do
      b.documents[position] = { args:next(), args:next(), args:next() }
    end
  end,
  C = function(b, args)
    for position = 1, tonumber(args:next()) do
      b.spawn[position] = read_spawn(args)
    end
  end,
  M = function(b, args)
    for position = 1, tonumber(args:next()) do
      b.send[position] = { args:next(), args:next(), args:next() }
    end
  end,
  T = function(b, args)
    for position = 1, tonumber(args:next()) do
      -- at is '' for a timer that is cleared
      b.timers[position] = { name = args:next(), at = args:next(), letter = args:next(), body = args:next() }
      b.timers_set = b.timers_set + (b.timers[position].at ~= '' and 1 or 0)
    end
  end,
  L = function(b, args)
    b.take = args:next()
    for position = 1, tonumber(args:next()) do
      b.wanted[position] = { name = args:next(), capacity = tonumber(args:next()) }
    end
  end,
  U = function(b, args) b.release = args:list(tonumber(args:next())) end,
  W = function(b) b.withdraw = true end,
  K = function(b, args) b.collect = { args:next(), args:next(), args:next() } end,
  B = function(b, args)
    for position = 1, tonumber(args:next()) do
      b.blobs[position] = { args:next(), args:next() }
    end
  end,
  G = function(b, args) b.ledger = args:list(tonumber(args:next())) end,
  I = function(b, args)
    for position = 1, tonumber(args:next()) do
      local change = { index = args:next(), member = args:next(), score = args:next(), body = args:next() }
      if change.score == '' then
        change.score = nil
      elseif is_watch(change.index) then
        b.watches = b.watches + 1
      end
      b.index[position] = change
    end
  end,
  R = function(b, args) b.run_summary = args:next() end,
}

local function read_sections(args)
  local b = {
    expect = {}, documents = {}, spawn = {}, send = {}, timers = {}, timers_set = 0, wanted = {},
    release = {}, blobs = {}, ledger = {}, index = {}, watches = 0,
  }
  while args.args[args.at] do
    SECTION[args:next()](b, args)
  end
  return b
end

-- Limits that depend on what the lane has already; the number says which.
local function beyond_limits(call, id, used, b)
  if used > 0 and used > redis.call('LLEN', key(call, 'i', id)) then
    return 1
  end
  if not b then
    return nil
  end
  if b.timers_set > 0 and count_timers(call, id, b.timers_set) > LANE_TIMERS_MAX then
    return 2
  end
  if b.take == 'N' and #own_names(call, id, 'h') + #b.wanted > LANE_HOLDS_MAX then
    return 3
  end
  if b.watches > 0 and #own_names(call, id, 'x') + b.watches > LANE_WATCHES_MAX then
    return 4
  end
  return nil
end

-- Conditions over other keys; an answer that refuses, or nothing.
local function refuse(call, lane, b)
  for position, expect in ipairs(b.expect) do
    if (redis.call('HGET', key(call, 'd', expect[1]), 'v') or '0') ~= expect[2] then
      return { 'E', position - 1 }
    end
  end
  if b.take == 'N' then
    local position, holder = busy(call, lane.id, place_of(lane.priority, lane.ticket), b.wanted)
    if position then
      return { 'B', position - 1, holder or '' }
    end
  end
  return nil
end

-- Appends the events once more, without what an interrupted call has left after `version`.
local function append_again(log, version, events)
  if version == 0 then
    redis.call('DEL', log)
  else
    redis.call('LTRIM', log, 0, version - 1)
  end
  push_all(log, events)
end

-- Appends the events after `version`.
local function append_events(call, id, version, events)
  if #events == 0 then
    return
  end
  local log = key(call, 'g', id)
  if push_all(log, events) ~= version + #events then
    append_again(log, version, events)
  end
end

local function change_timers(call, id, timers)
  for _, timer in ipairs(timers) do
    if timer.at == '' then
      take_timer(call, id, timer.name)
      redis.call('ZREM', call.prefix .. 'due', id .. timer.name)
    else
      put_timer(call, id, timer.name, timer.letter .. timer.body)
      redis.call('ZADD', call.prefix .. 'due', timer.at, id .. timer.name)
    end
  end
end

local function write_sections(call, lane, version, seq, b)
  local id = lane.id
  if b.summary then
    put_summary(call, id, b.summary)
  end
  if b.snapshot then
    redis.call('SET', key(call, 'n', id), version .. ':' .. b.snapshot)
  end
  change_timers(call, id, b.timers)
  if b.run_summary then
    for _, change in ipairs(b.index) do
      if change.body == OF_RUN and change.member ~= lane.run then
        change.body = b.run_summary
      end
    end
    write_summary(call, lane.run, read_run(call, lane.run), b.run_summary, b.index)
  end
  for _, change in ipairs(b.index) do
    change_index(call, id, change)
  end
  for _, document in ipairs(b.documents) do
    write_document(call, document[1], document[2], document[3])
  end
  if #b.spawn > 0 then
    spawn(call, b.spawn, seq)
  end
  for _, post in ipairs(b.send) do
    deliver(call, post[1], post[2], post[3], false)
  end
  if b.collect and lane.parent ~= '' then
    put_child(call, lane.parent, b.collect[2], b.collect[1], b.collect[3])
  end
  put_blobs(call, b.blobs)
  if #b.ledger > 0 then
    append_ledger(call, id, version, b.ledger)
  end
  if b.take or b.withdraw or #b.release > 0 then
    apply_locks(call, lane, b.release, b.take, b.wanted, b.withdraw)
  end
end

-- An ended lane holds nothing, waits for nothing and is woken by nothing.
local function let_go(call, lane)
  local id = lane.id
  local own = key(call, 'o', id)
  if redis.call('EXISTS', own) == 1 then
    apply_locks(call, lane, own_names(call, id, 'h'), nil, nil, true)
    for _, index in ipairs(own_names(call, id, 'x')) do
      remove_entry(call, index, id)
    end
    redis.call('DEL', own)
  end
  clear_timers(call, id)
end

-- The lane's next state and whether there is more for it; K keeps the lease.
local function settle(call, lane, after)
  local dirty = call.own_dirty
  if after == 'K' then
    return 'L', dirty
  end
  redis.call('ZREM', call.prefix .. 'leased', lane.id)
  dirty = dirty or redis.call('LLEN', key(call, 'i', lane.id)) > 0
  if after == 'R' or (after == 'P' and dirty) then
    make_ready(call, lane.id, lane.queue, lane.priority)
    return 'R', dirty
  elseif after == 'S' then
    apply_locks(call, lane, {}, nil, nil, true)
  elseif after == 'E' then
    let_go(call, lane)
  end
  return after, dirty
end

-- What only some commits need of the header, read when they do.
local function rest_of_header(id, name)
  local rest = redis.call('HMGET', name, 'tk', 'p', 'q', 'par', 'run')
  return {
    id = id, ticket = rest[1] or '', priority = tonumber(rest[2]), queue = rest[3], parent = rest[4] or '',
    run = rest[5],
  }
end

-- An answer that refuses, or nothing.
local function check(call, lane, used, b, may_grow)
  local limit = beyond_limits(call, lane.id, used, b)
  if limit then
    return { 'X', limit }
  end
  if not b then
    return nil
  end
  if #b.spawn > 0 and not may_grow then
    return { 'X', 5 }
  end
  if lacks_blob(call, b.blobs) then
    return { 'L' }
  end
  return refuse(call, lane, b)
end

-- The header last, and its version in the same write.
local function write_header(call, name, args, lane, state, seq, version)
  local mark = args[4] .. ' ' .. seq
  if state == 'L' then
    redis.call('HSET', name, 'v', version, 'ci', mark, 'u', call.now)
    if call.own_dirty then
      redis.call('HSET', name, 'd', '0')
    end
    if args[7] ~= '' then
      redis.call('HSET', name, 'ic', args[7])
    end
  else
    redis.call('HSET', name, 'f', '', 'v', version, 'd', '0', 'ci', mark, 'st', state, 'ic', '0', 'u', call.now)
    redis.call('HDEL', name, 'wk', 'pl')
  end
  if lane.ticket ~= '' then
    redis.call('HSET', name, 'tk', lane.ticket)
  elseif lane.had_ticket then
    redis.call('HDEL', name, 'tk')
  end
  if args[8] == '1' then
    redis.call('HDEL', name, 'sk')
  end
end

-- Everything but the conditions that every commit has.
local function commit_fully(keys, args, dirty, may_grow)
  local call = begin(keys)
  local id, name = args[1], keys[2]
  local read = reader(args, 10)
  local events = read:list(tonumber(args[9]))
  local used = tonumber(args[6])
  local lane, b = rest_of_header(id, name), nil
  if args[read.at] then
    b = read_sections(read)
  end
  local refused = check(call, lane, used, b, may_grow)
  if refused then
    return refused
  end

  -- From here on nothing refuses.
  call.own, call.own_dirty = id, dirty
  lane.had_ticket = lane.ticket ~= ''
  local seq = redis.call('HINCRBY', call.meta, 'seq', 1)
  local version = tonumber(args[3])
  append_events(call, id, version, events)
  version = version + #events
  if used > 0 then
    redis.call('LTRIM', key(call, 'i', id), used, -1)
  end
  if b then
    write_sections(call, lane, version, seq, b)
  end
  local state, more = settle(call, lane, args[5])
  if args[5] ~= 'K' or (b and b.summary) then
    feed(call.prefix .. 'feed', id, seq)
  end
  wake(call)
  write_header(call, name, args, lane, state, seq, version)
  return { 'K', seq, version, more and 1 or 0, call.now }
end

-- The most frequent commit by far has events, at most one line of the ledger, and keeps the lane. It
-- shows nothing new in lists, so the feed does not name it.
local function commit_events(keys, args, dirty, count, rest)
  local now = now_ms()
  local seq = redis.call('HINCRBY', keys[1], 'seq', '1')
  local before = tonumber(args[3])
  local version = before + count
  if count > 0 and redis.call('RPUSH', keys[3], unpack(args, 10, 9 + count)) ~= version then
    append_again(keys[3], before, { unpack(args, 10, 9 + count) })
  end
  local version_text, now_text = digits(version), digits(now)
  if args[rest] then
    local number = digits(redis.call('HINCRBY', keys[1], 'led', '1') - 1)
    local line = ledger_line(is_short(keys[1]), number, args[1], version_text, now_text, args[rest + 2])
    redis.call('RPUSH', keys[4], line)
  end
  redis.call('HSET', keys[2], 'v', version_text, 'ci', args[4] .. ' ' .. digits(seq), 'u', now_text)
  if dirty then
    redis.call('HSET', keys[2], 'd', '0')
  end
  return { 'K', seq, version, dirty and 1 or 0, now }
end

-- Nothing but events, or one line of the ledger behind them. `rest` is where the other sections begin.
local function is_plain(args, rest)
  if args[5] ~= 'K' or args[6] ~= '0' or args[7] ~= '' or args[8] ~= '0' then
    return false
  end
  return #args == rest - 1 or (#args == rest + 2 and args[rest] == 'G' and args[rest + 1] == '1')
end

-- What begins here would begin over a letter that the holder has not read. A ring brings each of them.
local function is_unread(keys, args, dirty, rest)
  if not dirty or args[rest] ~= 'O' then
    return false
  end
  local letters = string.sub(keys[1], 1, -5) .. 'i:' .. args[1]
  return redis.call('LLEN', letters) > tonumber(args[rest + 1])
end

-- What every commit is judged by: K and its seq when it was carried out before, F, V and the version, or
-- nothing. header: f, v, d, ci
local function judge(header, fence, version, mark)
  if header[4] and string.sub(header[4], 1, #mark) == mark then
    -- This very commit: its answer was lost, or it came late a second time.
    return 'K', string.sub(header[4], #mark + 1)
  end
  if not header[1] or header[1] == '' or header[1] ~= fence then
    return 'F'
  end
  if header[2] ~= version then
    return 'V', header[2]
  end
  return nil
end

-- KEYS: meta, header, log, ledger
local function commit(keys, args, may_grow)
  local header = redis.call('HMGET', keys[2], 'f', 'v', 'd', 'ci')
  local refused, told = judge(header, args[2], args[3], args[4] .. ' ')
  if refused == 'K' then
    return { 'K', tonumber(told), tonumber(header[2]), 1, now_ms() }
  elseif refused then
    return { refused, tonumber(told) }
  end
  local dirty, count = header[3] == '1', tonumber(args[9])
  local rest = 10 + count
  if is_unread(keys, args, dirty, rest) then
    return { 'U' }
  end
  if args[rest] == 'O' then
    rest = rest + 2
  end
  if is_plain(args, rest) then
    return commit_events(keys, args, dirty, count, rest)
  end
  return commit_fully(keys, args, dirty, may_grow)
end

local function h1_commit(keys, args)
  return commit(keys, args, false)
end

local function h1_commit_grow(keys, args)
  return commit(keys, args, true)
end
