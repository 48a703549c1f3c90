-- Lines of the ledger: a page of them, and how the oldest ones leave. Not here: appending (4_lists, 5_commit,
-- 6_group), and whether a line that leaves was sealed.
--
-- `led` counts all lines that were ever appended, `led_first` is the number of the first one that was not
-- trimmed: it stands at the head of the list.

local function first_line(call)
  return tonumber(redis.call('HGET', call.meta, 'led_first') or '0')
end

-- How many of the first `max` lines have numbers below `below`. It is looked up, not reckoned: a line that
-- somebody took out moves all behind it, and none that is not below may go with the others.
local function count_below(list, below, max)
  local low, high = 0, math.min(max, redis.call('LLEN', list))
  local function is_below(position)
    local number = tonumber(string.match(redis.call('LINDEX', list, digits(position - 1)), '^(%d+) '))
    return number and number < below
  end
  if high == 0 or is_below(high) then
    return high
  end
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if is_below(middle) then
      low = middle
    else
      high = middle
    end
  end
  return low
end

-- ARGV: number below which lines go, most of them. Answers D(one) or M(ore).
local function h1_trim_ledger(keys, args)
  local call = begin(keys)
  local list, max = call.prefix .. 'led', tonumber(args[2])
  local all = tonumber(redis.call('HGET', call.meta, 'led') or '0')
  local below, first = math.min(tonumber(args[1]), all), first_line(call)
  if below <= first then
    return 'D'
  end
  local count = count_below(list, below, math.min(max, below - first))
  if count == max then
    local last = redis.call('LINDEX', list, digits(count - 1))
    first = tonumber(string.match(last, '^(%d+) ')) + 1
  else
    first = below
  end
  if count > 0 then
    redis.call('LTRIM', list, digits(count), '-1')
  end
  redis.call('HSET', call.meta, 'led_first', digits(first))
  return first == below and 'D' or 'M'
end

-- ARGV: number of the first line. One state of list and count: between two commands a trimming would hide lines.
local function h1_ledger(keys, args)
  local call = begin(keys)
  local at = math.max(0, tonumber(args[1]) - first_line(call))
  return redis.call('LRANGE', call.prefix .. 'led', digits(at), digits(at + READ_MAX - 1))
end
