-- The timers of a lane: short ones lie in its header, as `t:`name, others in a hash of their own. When they are due
-- stands in `due`. Not here: what a letter of a timer says.

local function put_timer(call, id, name, value)
  local header, bodies = key(call, 'l', id), key(call, 't', id)
  if #value > SMALL_MAX then
    redis.call('HSET', bodies, name, value)
    redis.call('HDEL', header, 't:' .. name)
  elseif redis.call('HSET', header, 't:' .. name, value) == 1 then
    redis.call('HDEL', bodies, name)
  end
end

-- The timer, which is not there any more.
local function take_timer(call, id, name)
  for _, place in ipairs({ { key(call, 'l', id), 't:' .. name }, { key(call, 't', id), name } }) do
    local value = redis.call('HGET', place[1], place[2])
    if value then
      redis.call('HDEL', place[1], place[2])
      return value
    end
  end
end

local function names_of_timers(call, id)
  local names = redis.call('HKEYS', key(call, 't', id))
  for _, field in ipairs(redis.call('HKEYS', key(call, 'l', id))) do
    if string.sub(field, 1, 2) == 't:' then
      names[#names + 1] = string.sub(field, 3)
    end
  end
  return names
end

-- With so many new ones; at least that many, if it is far from the limit.
local function count_timers(call, id, new)
  local most = redis.call('HLEN', key(call, 'l', id)) + redis.call('HLEN', key(call, 't', id)) + new
  if most <= LANE_TIMERS_MAX then
    return most
  end
  return #names_of_timers(call, id) + new
end

local function clear_timers(call, id)
  local names = names_of_timers(call, id)
  for _, name in ipairs(names) do
    redis.call('ZREM', call.prefix .. 'due', id .. name)
    redis.call('HDEL', key(call, 'l', id), 't:' .. name)
  end
  if #names > 0 then
    redis.call('DEL', key(call, 't', id))
  end
end
