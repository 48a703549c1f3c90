-- Bounded reads that need one consistent state. Not here: writing.

-- ARGV: lane, from version
local function h1_load(keys, args)
  local call = begin(keys)
  local id, from = args[1], tonumber(args[2])
  local header = header_of(call, id)
  if not header or header[6] == 'X' then
    return nil
  end
  return { header, contents_of(call, id, header, from), call.now, generation_of(call) }
end

-- ARGV: lane...
local function h1_headers(keys, args)
  local call = begin(keys)
  local headers = {}
  for position, id in ipairs(args) do
    headers[position] = header_of(call, id) or false
  end
  return headers
end

-- ARGV: lane, number of the first child. Answers key, value... and asks for one more than a page.
local function h1_children(keys, args)
  local call = begin(keys)
  local from = tonumber(args[2])
  local names = redis.call('LRANGE', key(call, 'co', args[1]), from, from + READ_MAX)
  if #names == 0 then
    return {}
  end
  local values = redis.call('HMGET', key(call, 'c', args[1]), unpack(names))
  return { names, values }
end

-- ARGV: index, newest first, place of the last entry read or ''
local function h1_query(keys, args)
  local call = begin(keys)
  local index = key(call, 'ix', args[1])
  local entries
  if args[2] == '1' then
    local from = args[3] == '' and '+' or ('(' .. args[3])
    entries = redis.call('ZREVRANGEBYLEX', index, from, '-', 'LIMIT', 0, READ_MAX + 1)
  else
    local from = args[3] == '' and '-' or ('(' .. args[3])
    entries = redis.call('ZRANGEBYLEX', index, from, '+', 'LIMIT', 0, READ_MAX + 1)
  end
  if #entries == 0 then
    return {}
  end
  local members = {}
  for position, entry in ipairs(entries) do
    members[position] = string.sub(entry, call.place_length + 1)
  end
  local bodies = redis.call('HMGET', key(call, 'xb', args[1]), unpack(members))
  for position, member in ipairs(members) do
    local record = not bodies[position] and entry_of_run(call, args[1], member)
    if record then
      bodies[position] = record.place .. record.sum
    end
  end
  return { entries, bodies }
end

-- ARGV: seq after which to begin. Answers seq, lane, run, summary for each.
local function h1_feed(keys, args)
  local call = begin(keys)
  local found = redis.call('ZRANGEBYSCORE', call.prefix .. 'feed', '(' .. args[1], '+inf', 'WITHSCORES',
    'LIMIT', 0, FEED_READ_MAX)
  if #found == 0 then
    return {}
  end
  local entries = {}
  for at = 1, #found, 2 do
    local id = found[at]
    local header = redis.call('HMGET', key(call, 'l', id), 'run', 's')
    entries[#entries + 1] = { found[at + 1], id, header[1], summary_of(call, id, header[2]) }
  end
  return entries
end

-- ARGV: run. Answers body, root, summary, archive or ''.
local function h1_run(keys, args)
  local record = read_run(begin(keys), args[1])
  return record and { record.body, record.root, record.sum, record.archive }
end

local function h1_counts(keys)
  local call = begin(keys)
  local count = redis.call('HMGET', call.meta, 'seq', 'led')
  local function size(name)
    return redis.call('ZCARD', call.prefix .. name)
  end
  return { size('ready:r') + size('ready:m'), size('leased'), size('due'), tonumber(count[2] or '0'),
    tonumber(count[1] or '0'), call.now }
end
