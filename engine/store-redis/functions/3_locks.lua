-- Locks and slots: all-or-nothing demands with one ticket over first-in-first-out wait lists. A
-- demand is granted when every resource has capacity and no smaller ticket waits on any of them.
-- Nothing here grants: a lane that is rung demands again in its own commit.
--
-- u:<resource> hash: lane -> since, and `capacity`. q:<resource> zset: lane by ticket.
-- o:<lane> hash: `h:`resource held, `w:`resource waited for, `x:`index watched.

local function held_count(call, resource)
  local name = key(call, 'u', resource)
  local count = redis.call('HLEN', name)
  if count == 0 then
    return 0, 0
  end
  return count - 1, tonumber(redis.call('HGET', name, 'capacity'))
end

local function first_waiter(call, resource)
  return redis.call('ZRANGE', key(call, 'q', resource), 0, 0, 'WITHSCORES')
end

local function oldest_holder(call, resource)
  local all = redis.call('HGETALL', key(call, 'u', resource))
  local holder, since
  for at = 1, #all, 2 do
    local lane, from = all[at], tonumber(all[at + 1])
    if lane ~= 'capacity' and (not since or from < since or (from == since and lane < holder)) then
      holder, since = lane, from
    end
  end
  return holder
end

-- The position of the first resource that the lane may not have now, and who has it.
local function busy(call, id, place, wanted)
  for position, want in ipairs(wanted) do
    if redis.call('HEXISTS', key(call, 'u', want.name), id) == 0 then
      if held_count(call, want.name) >= want.capacity then
        return position, oldest_holder(call, want.name)
      end
      local first = first_waiter(call, want.name)
      if first[1] and first[1] ~= id and tonumber(first[2]) < place then
        return position, false
      end
    end
  end
  return nil
end

-- A lane without a ticket stands behind all tickets of its priority.
local function place_of(priority, ticket)
  if ticket and ticket ~= '' then
    return tonumber(ticket)
  end
  return priority * BAND + (BAND - 1)
end

local function drop_if_idle(call, resource)
  local name = key(call, 'u', resource)
  if redis.call('HLEN', name) == 1 and redis.call('EXISTS', key(call, 'q', resource)) == 0 then
    redis.call('DEL', name)
  end
end

local function give_back(call, id, release, touched)
  local own = key(call, 'o', id)
  for _, resource in ipairs(release) do
    if redis.call('HDEL', own, 'h:' .. resource) == 1 then
      redis.call('HDEL', key(call, 'u', resource), id)
      drop_if_idle(call, resource)
      touched[#touched + 1] = resource
    end
  end
end

-- Names in the lane's own record that begin with a letter.
local function own_names(call, id, letter)
  local names = {}
  for _, field in ipairs(redis.call('HKEYS', key(call, 'o', id))) do
    if string.sub(field, 1, 2) == letter .. ':' then
      names[#names + 1] = string.sub(field, 3)
    end
  end
  return names
end

local function withdraw_ticket(call, lane, touched)
  if lane.ticket == '' then
    return
  end
  lane.ticket = ''
  for _, resource in ipairs(own_names(call, lane.id, 'w')) do
    redis.call('HDEL', key(call, 'o', lane.id), 'w:' .. resource)
    redis.call('ZREM', key(call, 'q', resource), lane.id)
    drop_if_idle(call, resource)
    touched[#touched + 1] = resource
  end
end

local function grant(call, lane, wanted)
  for _, want in ipairs(wanted) do
    local name = key(call, 'u', want.name)
    redis.call('HSET', name, 'capacity', want.capacity)
    if redis.call('HSETNX', name, lane.id, call.now) == 1 then
      redis.call('HSET', key(call, 'o', lane.id), 'h:' .. want.name, '1')
    end
  end
end

local function wait_for(call, lane, wanted, touched)
  local ticket = lane.ticket
  withdraw_ticket(call, lane, touched)
  if ticket == '' then
    local number = redis.call('HINCRBY', call.meta, 'ticket', 1)
    ticket = string.format('%d', lane.priority * BAND + number)
  end
  lane.ticket = ticket
  for _, want in ipairs(wanted) do
    redis.call('ZADD', key(call, 'q', want.name), ticket, lane.id)
    redis.call('HSET', key(call, 'u', want.name), 'capacity', want.capacity)
    redis.call('HSET', key(call, 'o', lane.id), 'w:' .. want.name, '1')
  end
  if not busy(call, lane.id, tonumber(ticket), wanted) then
    ring(call, lane.id)
  end
end

-- Rings the first waiter of every touched resource that has room.
local function ring_heads(call, touched)
  table.sort(touched)
  local before
  for _, resource in ipairs(touched) do
    if resource ~= before then
      before = resource
      local count, capacity = held_count(call, resource)
      if count < capacity then
        local first = first_waiter(call, resource)
        if first[1] then
          ring(call, first[1])
        end
      end
    end
  end
end

-- lane: { id, priority, ticket }; `ticket` is updated, the caller writes it into the header.
local function apply_locks(call, lane, release, mode, wanted, withdraw)
  local touched = {}
  give_back(call, lane.id, release, touched)
  if mode == 'N' then
    withdraw_ticket(call, lane, touched)
    grant(call, lane, wanted)
  elseif mode == 'W' then
    wait_for(call, lane, wanted, touched)
  end
  if withdraw then
    withdraw_ticket(call, lane, touched)
  end
  ring_heads(call, touched)
end
