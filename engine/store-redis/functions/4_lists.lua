-- What a commit writes beside its own lane: documents, indexes, children, blobs, ledger, feed, other
-- lanes. Not here: the commit's conditions.

-- The lane's entry moves to the end of the feed; old ones fall out.
local function feed(name, id, seq)
  redis.call('ZADD', name, digits(seq), id)
  if seq % FEED_TRIM_EVERY == 0 and seq > FEED_KEEP then
    redis.call('ZREMRANGEBYSCORE', name, '-inf', seq - FEED_KEEP - 1)
  end
end

-- Rings at most `max` watchers after the entry `after`. Answers how many, and the last one if there
-- may be more.
local function ring_watchers(call, document, after, max)
  local from = after and ('(' .. after) or '-'
  local index = key(call, 'ix', 'w:' .. document)
  local entries = redis.call('ZRANGEBYLEX', index, from, '+', 'LIMIT', 0, max)
  for _, entry in ipairs(entries) do
    ring(call, string.sub(entry, 17))
  end
  return #entries, (#entries == max and entries[#entries] or nil)
end

local function set_bell(call, document, last)
  if last then
    redis.call('ZADD', call.prefix .. 'bells', 0, document)
    redis.call('HSET', call.prefix .. 'bell_cursors', document, last)
  else
    redis.call('ZREM', call.prefix .. 'bells', document)
    redis.call('HDEL', call.prefix .. 'bell_cursors', document)
  end
end

local function write_document(call, name, present, body)
  local document = key(call, 'd', name)
  redis.call('HINCRBY', document, 'v', 1)
  if present == '1' then
    redis.call('HSET', document, 'b', body)
  else
    redis.call('HDEL', document, 'b')
  end
  if redis.call('EXISTS', key(call, 'ix', 'w:' .. name)) == 1 then
    local _, last = ring_watchers(call, name, nil, WATCH_RING_MAX)
    set_bell(call, name, last)
  end
end

local function remove_entry(call, index, member)
  local bodies = key(call, 'xb', index)
  local old = redis.call('HGET', bodies, member)
  if old then
    redis.call('ZREM', key(call, 'ix', index), string.sub(old, 1, 16) .. member)
    redis.call('HDEL', bodies, member)
  end
end

local function put_entry(call, index, member, score, body)
  local bodies = key(call, 'xb', index)
  local old = redis.call('HGET', bodies, member)
  -- With the same score its place stays.
  if not old or string.sub(old, 1, 16) ~= score then
    if old then
      redis.call('ZREM', key(call, 'ix', index), string.sub(old, 1, 16) .. member)
    end
    redis.call('ZADD', key(call, 'ix', index), 0, score .. member)
  end
  redis.call('HSET', bodies, member, score .. body)
end

local function is_watch(index)
  return string.sub(index, 1, 2) == 'w:'
end

local function change_index(call, id, change)
  if change.score then
    put_entry(call, change.index, change.member, change.score, change.body)
    if is_watch(change.index) then
      redis.call('HSET', key(call, 'o', id), 'x:' .. change.index, '1')
    end
    return
  end
  remove_entry(call, change.index, change.member)
  if is_watch(change.index) then
    redis.call('HDEL', key(call, 'o', id), 'x:' .. change.index)
  end
end

-- As the port writes scores: their order is the order of the texts. For instants after 1970 only.
local function score_text(ms)
  return '8' .. string.format('%015x', ms)
end

local function put_child(call, parent, name, lane, record)
  local children = key(call, 'c', parent)
  if redis.call('HEXISTS', children, name) == 0 then
    if redis.call('EXISTS', key(call, 'l', parent)) == 0 then
      return
    end
    redis.call('RPUSH', key(call, 'co', parent), name)
  end
  redis.call('HSET', children, name, lane .. record)
end

-- Hot fields come first: a small hash is searched from its beginning.
local function new_lane(call, lane)
  redis.call('HSET', key(call, 'l', lane.id), 'f', '', 'v', #lane.events, 'd', '0', 'ci', '',
    'st', 'R', 'tk', '', 'ic', '0', 'u', call.now, 'p', lane.priority, 'q', lane.queue,
    'par', lane.parent, 'run', lane.run, 'sk', '0', 'c', call.now)
end

-- Makes a lane unless it exists. One that nobody lists is listed under its run: the archive finds it there.
local function spawn(call, lane, seq, is_root)
  if redis.call('EXISTS', key(call, 'l', lane.id)) == 1 then
    return
  end
  redis.call('DEL', key(call, 'g', lane.id))
  push_all(key(call, 'g', lane.id), lane.events)
  redis.call('SET', key(call, 's', lane.id), lane.summary)
  if lane.parent ~= '' and lane.key ~= '' then
    put_child(call, lane.parent, lane.key, lane.id, '0')
  elseif not is_root then
    put_entry(call, 'strays:' .. lane.run, lane.id, score_text(call.now), '')
  end
  new_lane(call, lane)
  make_ready(call, lane.id, lane.queue, lane.priority)
  feed(call.prefix .. 'feed', lane.id, seq)
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

-- A line of the ledger as it is stored. The number stands in the line and the count in `meta`: a line
-- that somebody takes out of the list leaves a gap.
local function ledger_line(number, id, version, now, body)
  return number .. ' ' .. id .. ' ' .. version .. ' ' .. now .. ' ' .. body
end

local function append_ledger(call, id, version, bodies)
  local before = redis.call('HINCRBY', call.meta, 'led', digits(#bodies)) - #bodies
  local lines = {}
  for position, body in ipairs(bodies) do
    lines[position] = ledger_line(digits(before + position - 1), id, digits(version), digits(call.now), body)
  end
  push_all(call.prefix .. 'led', lines)
end

-- Puts a letter into the inbox once per id and rings: A(ccepted), K(nown) or G(one).
local function deliver(call, id, command, body, outside)
  local header = redis.call('HMGET', key(call, 'l', id), 'st', 'q', 'p', 'sk')
  if not LIVE[header[1]] then
    return 'G'
  end
  if redis.call('SADD', key(call, 'k', id), command) == 0 then
    return 'K'
  end
  redis.call('RPUSH', key(call, 'i', id), command .. call.now .. ':' .. body)
  ring_known(call, id, header, outside)
  return 'A'
end

-- ARGV: lane, command, body
local function h1_send(keys, args)
  local call = begin(keys)
  if redis.call('LLEN', key(call, 'i', args[1])) >= INBOX_MAX then
    return 'M'
  end
  local answer = deliver(call, args[1], args[2], args[3], true)
  wake(call)
  return answer
end
