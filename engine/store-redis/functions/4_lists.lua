-- What a commit writes beside its own lane: documents, indexes, children, blobs, ledger, feed, other
-- lanes. Not here: the commit's conditions.

-- Old entries fall out of the feed.
local function trim_feed(name, seq)
  if seq % FEED_TRIM_EVERY == 0 and seq > FEED_KEEP then
    redis.call('ZREMRANGEBYSCORE', name, '-inf', digits(seq - FEED_KEEP - 1))
  end
end

-- The lane's entry moves to the end of the feed.
local function feed(name, id, seq)
  redis.call('ZADD', name, digits(seq), id)
  trim_feed(name, seq)
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

-- Blobs are { digest, bytes }. One that was sent before this call has '@' before its digest and no bytes.
local function is_sent(blob)
  return string.byte(blob[1]) == 64
end

-- Whether a blob that was sent before is not here: the server may be another one by now.
local function lacks_blob(call, blobs)
  for _, blob in ipairs(blobs) do
    if is_sent(blob) and redis.call('EXISTS', key(call, 'b', string.sub(blob[1], 2))) == 0 then
      return true
    end
  end
  return false
end

local function put_blobs(call, blobs)
  for _, blob in ipairs(blobs) do
    if not is_sent(blob) then
      redis.call('SET', key(call, 'b', blob[1]), blob[2], 'NX')
    end
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
