-- Ready, leased, parked: who may be claimed, and what a ring does. A ring of a leased lane marks it
-- dirty, and a dirty lane that parks is ready: no wake-up is lost. Not here: what lanes do.

local function count_ready(call, queue, priority)
  call.made_ready = call.made_ready or {}
  local counts = call.made_ready[queue] or {}
  call.made_ready[queue] = counts
  counts[priority] = (counts[priority] or 0) + 1
end

-- Puts a lane behind the others of its priority. The caller has written everything else.
local function make_ready(call, id, queue, priority)
  local number = redis.call('HINCRBY', call.meta, 'ready_number', 1)
  redis.call('ZADD', call.prefix .. 'ready:' .. queue, digits(priority * BAND + number), id)
  count_ready(call, queue, priority)
end

-- The same for several: { id, queue, priority } each.
local function make_all_ready(call, lanes)
  local number = redis.call('HINCRBY', call.meta, 'ready_number', digits(#lanes)) - #lanes
  local queues = {}
  for place, lane in ipairs(lanes) do
    local entries = queues[lane.queue] or {}
    queues[lane.queue] = entries
    entries[#entries + 1] = digits(lane.priority * BAND + number + place)
    entries[#entries + 1] = lane.id
    count_ready(call, lane.queue, lane.priority)
  end
  for queue, entries in pairs(queues) do
    redis.call('ZADD', call.prefix .. 'ready:' .. queue, unpack(entries))
  end
end

local TOKENS = {}
for place = 1, WAKE_MAX do
  TOKENS[place] = '1'
end

-- Leaves tokens for those who wait: one for each lane made ready, to every level that may take it.
local function wake(call)
  if not call.made_ready then
    return
  end
  for queue, counts in pairs(call.made_ready) do
    local levels = redis.call('HGET', call.meta, 'waited:' .. queue) or ''
    for level = 0, 3 do
      if string.find(levels, level, 1, true) then
        local tokens = 0
        for priority = 0, level do
          tokens = tokens + (counts[priority] or 0)
        end
        local list = call.prefix .. 'wake:' .. queue .. ':' .. level
        if tokens > 0 then
          tokens = math.min(tokens, WAKE_MAX - redis.call('LLEN', list))
        end
        if tokens > 0 then
          redis.call('RPUSH', list, unpack(TOKENS, 1, tokens))
        end
      end
    end
  end
end

-- Rings a lane whose header fields are known: { state, queue, priority, strikes }.
local function ring_known(call, id, header, outside)
  local state = header[1]
  if id == call.own then
    call.own_dirty = true
  elseif state == 'L' or (state == 'S' and not outside) then
    redis.call('HSET', key(call, 'l', id), 'd', '1')
  elseif state == 'P' then
    redis.call('HSET', key(call, 'l', id), 'st', 'R', 'd', '0')
    make_ready(call, id, header[2], tonumber(header[3]))
  elseif state == 'S' then
    local strikes = math.min(tonumber(header[4] or '0'), STRIKES_BEFORE_ALONE)
    redis.call('HSET', key(call, 'l', id), 'st', 'R', 'd', '0', 'sk', strikes)
    make_ready(call, id, header[2], tonumber(header[3]))
  end
end

local function ring(call, id)
  local header = redis.call('HMGET', key(call, 'l', id), 'st', 'q', 'p', 'sk')
  if header[1] then
    ring_known(call, id, header, false)
  end
end

-- Header and summary as every read returns them. A short summary lies in the header.
local HEADER = { 'run', 'q', 'p', 'par', 'v', 'st', 'c', 'u', 's' }
-- And what a claim asks besides.
local PICKED = { 'run', 'q', 'p', 'par', 'v', 'st', 'c', 'u', 's', 'sk', 'pl' }

local function summary_of(call, id, short)
  return short or redis.call('GET', key(call, 's', id)) or ''
end

local function put_summary(call, id, summary)
  if #summary > SMALL_MAX then
    redis.call('SET', key(call, 's', id), summary)
    redis.call('HDEL', key(call, 'l', id), 's')
  elseif redis.call('HSET', key(call, 'l', id), 's', summary) == 1 then
    redis.call('DEL', key(call, 's', id))
  end
end

local function header_of(call, id)
  local header = redis.call('HMGET', key(call, 'l', id), unpack(HEADER))
  if not header[1] then
    return nil
  end
  header[9] = summary_of(call, id, header[9])
  return header
end

-- Snapshot, and what of log and inbox a reader needs who knows the lane up to `from`.
local function contents_of(call, id, header, from)
  local version = tonumber(header[5])
  local snapshot = redis.call('GET', key(call, 'n', id))
  if snapshot then
    local at = tonumber(string.match(snapshot, '^(%d+):'))
    if at > from and at <= version then
      from = at
    else
      snapshot = false
    end
  end
  from = math.min(from, version)
  local to = math.min(version, from + READ_MAX)
  local events, inbox = {}, {}
  if to > from then
    events = redis.call('LRANGE', key(call, 'g', id), from, to - 1)
  end
  if LIVE[header[6]] then
    inbox = redis.call('LRANGE', key(call, 'i', id), 0, READ_MAX - 1)
  end
  return { snapshot or false, from, events, inbox }
end

-- A lane that nobody has let go of yet comes with the plan that it begins with, if that is short.
local function plan_of(call, digest)
  if not digest then
    return false
  end
  local shared, name = shared_place(call, digest)
  local bytes = redis.call('HGET', shared, name)
  if bytes then
    return { digest, bytes }
  end
  -- The plan of ten thousand servers has megabytes: it is not even read to see that.
  local own = key(call, 'b', digest)
  local length = redis.call('STRLEN', own)
  return length > 0 and length <= CARRIED_BYTES_MAX and { digest, redis.call('GET', own) }
end

-- A short lane comes with what lies in the store of it.
local function describe_claim(call, id, fence, strikes, header, plan)
  local carried = false
  if tonumber(header[5]) <= CARRIED_MAX then
    carried = contents_of(call, id, header, 0)
    if #carried[4] > CARRIED_MAX then
      carried = false
    end
  end
  return { id, fence, strikes, header, carried, carried and plan_of(call, plan) }
end

-- Lanes that a claim with this nonce has handed out already: its answer was lost.
local function claimed_before(call, nonce)
  local claims = {}
  for _, id in ipairs(redis.call('ZREVRANGE', call.prefix .. 'leased', 0, READ_MAX - 1)) do
    local header = redis.call('HMGET', key(call, 'l', id), 'f', 'sk', 'pl')
    if header[1] and string.sub(header[1], -#nonce) == nonce then
      claims[#claims + 1] = describe_claim(call, id, header[1], header[2] or '0', header_of(call, id), header[3])
    end
  end
  return claims
end

-- Those of the front that one claim may have: { id, strikes, plan, header } each. One that must be alone comes alone.
local function pick(call, ids, max)
  local picked = {}
  for _, id in ipairs(ids) do
    local header = redis.call('HMGET', key(call, 'l', id), unpack(PICKED))
    local plan, strikes = table.remove(header), tonumber(table.remove(header) or '0')
    local alone = strikes >= STRIKES_BEFORE_ALONE
    if not (alone and #picked > 0) then
      picked[#picked + 1] = { id = id, strikes = strikes, plan = plan, header = header }
      if alone or #picked == max then
        break
      end
    end
  end
  return picked
end

-- What can be one command for all of them is one.
local function hand_out(call, picked, ready, ask)
  if #picked == 0 then
    return {}
  end
  local epoch = redis.call('HINCRBY', call.meta, 'epoch', digits(#picked)) - #picked
  local expires, ids, leases, claims = digits(call.now + ask.lease_ms), {}, {}, {}
  for place, lane in ipairs(picked) do
    ids[place] = lane.id
    leases[2 * place - 1], leases[2 * place] = expires, lane.id
  end
  redis.call('ZREM', ready, unpack(ids))
  redis.call('ZADD', call.prefix .. 'leased', unpack(leases))
  for place, lane in ipairs(picked) do
    local id, header, fence = lane.id, lane.header, digits(epoch + place) .. ':' .. ask.nonce
    redis.call('HSET', key(call, 'l', id), 'st', 'L', 'd', '0', 'ic', '0', 'wk', ask.worker, 'f', fence)
    header[6], header[9] = 'L', summary_of(call, id, header[9])
    claims[place] = describe_claim(call, id, fence, lane.strikes, header, lane.plan)
  end
  return claims
end

-- Remembers that somebody waits at this level, and clears old tokens when nothing is there for them.
local function prepare_wait(call, queue, level, ready)
  local levels = redis.call('HGET', call.meta, 'waited:' .. queue) or ''
  if not string.find(levels, level, 1, true) then
    redis.call('HSET', call.meta, 'waited:' .. queue, levels .. level)
  end
  if redis.call('ZCARD', ready) == 0 then
    redis.call('DEL', call.prefix .. 'wake:' .. queue .. ':' .. level)
  end
end

-- ARGV: queue, max, least priority, lease_ms, nonce, worker, waits, again
local function h1_claim(keys, args)
  local call = begin(keys)
  local queue, max, level = args[1], tonumber(args[2]), tonumber(args[3])
  local ask = { lease_ms = tonumber(args[4]), nonce = args[5], worker = args[6] }
  if args[8] == '1' then
    local before = claimed_before(call, ask.nonce)
    if #before > 0 then
      return { before, call.now, generation_of(call) }
    end
  end
  local ready = call.prefix .. 'ready:' .. queue
  local below = '(' .. string.format('%d', (level + 1) * BAND)
  local ids = redis.call('ZRANGEBYSCORE', ready, '-inf', below, 'LIMIT', 0, max + ALONE_SKIP_MAX)
  local claims = hand_out(call, pick(call, ids, max), ready, ask)
  if #claims == 0 and args[7] == '1' then
    prepare_wait(call, queue, level, ready)
  end
  return { claims, call.now, #claims > 0 and generation_of(call) or {} }
end

-- ARGV: lease_ms, then lane, fence for each. Answers the positions that are lost.
local function h1_renew(keys, args)
  local call = begin(keys)
  local expires = call.now + tonumber(args[1])
  local lost = {}
  local position = 0
  for at = 2, #args, 2 do
    local header = key(call, 'l', args[at])
    if redis.call('HGET', header, 'f') == args[at + 1] then
      redis.call('ZADD', call.prefix .. 'leased', expires, args[at])
    else
      lost[#lost + 1] = position
    end
    position = position + 1
  end
  return lost
end

-- ARGV: lane, fence for each. No call is in flight in those that are held under their fence.
local function h1_calm(keys, args)
  local call = begin(keys)
  for at = 1, #args, 2 do
    local header = key(call, 'l', args[at])
    if redis.call('HGET', header, 'f') == args[at + 1] then
      redis.call('HSET', header, 'ic', '0')
    end
  end
  return 0
end

-- A lease ended without its worker: ready again, with a strike if a host call was in flight.
local function reclaim(call, id)
  local name = key(call, 'l', id)
  local header = redis.call('HMGET', name, 'ic', 'sk', 'q', 'p')
  redis.call('ZREM', call.prefix .. 'leased', id)
  if not header[3] then
    return
  end
  local strikes = tonumber(header[2] or '0') + (header[1] == '1' and 1 or 0)
  redis.call('HSET', name, 'st', 'R', 'd', '0', 'ic', '0', 'sk', strikes, 'f', '')
  make_ready(call, id, header[3], tonumber(header[4]))
end
