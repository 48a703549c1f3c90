-- A run is accepted once per id, time passes. Not here: how ids are made.

-- ARGV: run, body digest, call id, run summary, root..., blobs, blob..., index, change..., ledger, line...,
-- digest of the plan or '', or nothing where an older process starts it
local function h1_start(keys, args)
  local call = begin(keys)
  local known = read_run(call, args[1])
  if known then
    if known.ci == args[3] then
      return { 'N', known.seq }
    end
    return { known.body == args[2] and 'S' or 'C' }
  end
  local read = reader(args, 5)
  local root, blobs = read_spawn(read), {}
  for place = 1, tonumber(read:next()) do
    blobs[place] = { read:next(), read:next() }
  end
  if lacks_blob(call, blobs) then
    return { 'L' }
  end
  local changes = {}
  for place = 1, tonumber(read:next()) do
    local change = { index = read:next(), member = read:next(), score = read:next(), body = read:next() }
    if change.score == '' then
      change.score = nil
    end
    changes[place] = change
  end
  local lines = read:list(tonumber(read:next()))
  local plan = read:next()
  root.plan = call.short and plan ~= '' and plan

  local seq = redis.call('HINCRBY', call.meta, 'seq', 1)
  spawn(call, { root }, seq, true)
  put_blobs(call, blobs)
  if #lines > 0 then
    append_ledger(call, root.id, #root.events, lines)
  end
  wake(call)
  write_summary(call, args[1], {
    body = args[2], root = root.id, ci = args[3], seq = seq, sum = '', archive = '', index = '', place = '',
  }, args[4], changes)
  for _, change in ipairs(changes) do
    change_index(call, root.id, change)
  end
  return { 'N', seq }
end

local function fire_timers(call, max)
  local due = redis.call('ZRANGEBYSCORE', call.prefix .. 'due', '-inf', call.now, 'LIMIT', 0, max)
  for _, member in ipairs(due) do
    local id, name = string.sub(member, 1, call.id_length), string.sub(member, call.id_length + 1)
    local timer = take_timer(call, id, name)
    redis.call('ZREM', call.prefix .. 'due', member)
    if timer then
      local letter, body = string.sub(timer, 1, call.id_length), string.sub(timer, call.id_length + 1)
      redis.call('RPUSH', key(call, 'i', id), letter .. call.now .. ':' .. body)
      ring(call, id)
    end
  end
  return #due
end

local function expire_leases(call, max)
  local ids = redis.call('ZRANGEBYSCORE', call.prefix .. 'leased', '-inf', call.now, 'LIMIT', 0, max)
  for _, id in ipairs(ids) do
    reclaim(call, id)
  end
  return #ids
end

-- Goes on ringing the watchers of documents that have more than one commit rings.
local function ring_bells(call, max)
  local left = max
  for _, document in ipairs(redis.call('ZRANGE', call.prefix .. 'bells', 0, max - 1)) do
    if left == 0 then
      return true
    end
    local cursor = redis.call('HGET', call.prefix .. 'bell_cursors', document) or nil
    local rung, last = ring_watchers(call, document, cursor, left)
    left = left - rung
    set_bell(call, document, last)
  end
  return left == 0
end

-- ARGV: max, lease_ms, id of the server's process
local function h1_tick(keys, args)
  local call = begin(keys)
  local max = tonumber(args[1])
  local meta = redis.call('HMGET', call.meta, 'last_tick', 'hold_until', 'server', 'regressed')
  local stalled = meta[1] and call.now - tonumber(meta[1]) > STALL_GAP_MS
  local restarted = meta[3] and args[3] ~= '' and meta[3] ~= args[3]
  local hold = tonumber(meta[2] or '0')
  if stalled or restarted then
    hold = call.now + tonumber(args[2])
  end
  redis.call('HSET', call.meta, 'last_tick', call.now, 'hold_until', hold)
  if args[3] ~= '' then
    redis.call('HSET', call.meta, 'server', args[3])
  end
  local fired = fire_timers(call, max)
  local expired = hold > call.now and 0 or expire_leases(call, max)
  local bells = ring_bells(call, max)
  wake(call)
  local more = fired == max or expired == max or bells
  return { call.now, fired, expired, hold > call.now and hold or 0, more and 1 or 0, meta[4] or '' }
end
