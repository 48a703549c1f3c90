-- The store's time, in milliseconds. Not here: any other source of time; tests load another file.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
