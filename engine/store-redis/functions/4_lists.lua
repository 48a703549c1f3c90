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
    ring(call, string.sub(entry, call.place_length + 1))
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

-- The place of an entry that has a body of its own, which then has none any more; nothing if it is not there.
local function take_own_place(call, index, member)
  local bodies = key(call, 'xb', index)
  local old = redis.call('HGET', bodies, member)
  if old then
    redis.call('HDEL', bodies, member)
    return string.sub(old, 1, call.place_length)
  end
end

-- The place of an entry, which then has none any more; nothing if it is not there.
local function take_place(call, index, member)
  local own = take_own_place(call, index, member)
  if own then
    return own
  end
  local record = entry_of_run(call, index, member)
  if record then
    local place = record.place
    record.index, record.place = '', ''
    write_run(call, member, record)
    return place
  end
end

local function remove_entry(call, index, member)
  local place = take_place(call, index, member)
  if place then
    redis.call('ZREM', key(call, 'ix', index), place .. member)
  end
end

-- With the same score an entry keeps its place.
local function move_entry(call, index, member, old, score)
  if old ~= score then
    if old then
      redis.call('ZREM', key(call, 'ix', index), old .. member)
    end
    redis.call('ZADD', key(call, 'ix', index), 0, score .. member)
  end
end

local function put_entry(call, index, member, score, body)
  move_entry(call, index, member, take_place(call, index, member), score)
  redis.call('HSET', key(call, 'xb', index), member, score .. body)
end

-- A new summary of a run. `change`, if there is one, is its entry in an index, with the same text: it is not
-- written there.
local function show_run(call, run, record, summary, change)
  if record.index ~= '' and not (change and change.index == record.index) then
    -- That entry keeps what it says.
    redis.call('HSET', key(call, 'xb', record.index), run, record.place .. record.sum)
    record.index, record.place = '', ''
  end
  if change then
    local old = record.place
    if record.index == '' then
      old = take_own_place(call, change.index, run)
    end
    move_entry(call, change.index, run, old, change.score)
    record.index, record.place = change.index, change.score
  end
  record.sum = summary
  write_run(call, run, record)
end

-- The change that lists a run with its summary.
local function entry_with_summary(run, changes)
  for _, change in ipairs(changes) do
    if change.body == OF_RUN and change.member == run then
      return change
    end
  end
end

-- A run's summary, and changes of indexes, the one without a body among them. `record` is what is known of the run.
local function write_summary(call, run, record, summary, changes)
  local change = entry_with_summary(run, changes)
  if change and not (record and call.short) then
    change.body, change = summary, nil
  end
  if record then
    show_run(call, run, record, summary, change)
  end
end

local function is_watch(index)
  return string.sub(index, 1, 2) == 'w:'
end

local function change_index(call, id, change)
  if change.body == OF_RUN then
    return
  end
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

-- Blobs are { digest, bytes }. One that was sent before this call has '@' before its digest, which has an even
-- length, and no bytes.
local function is_sent(blob)
  return #blob[1] % 2 == 1
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

-- Small blobs share hashes of a few dozen, each small enough to be kept as a list: a key of its own would take more
-- than the blob.
local function shelf_of(call, digest)
  return key(call, 'bs', string.sub(digest, 1, 1) .. string.char(string.byte(digest, 2) % SHELVES))
end

local function put_blobs(call, blobs)
  for _, blob in ipairs(blobs) do
    if not is_sent(blob) then
      if call.short and #blob[2] <= SMALL_MAX then
        redis.call('HSETNX', shelf_of(call, blob[1]), blob[1], blob[2])
      elseif call.short and #blob[2] <= SHARED_MAX then
        local shared, name = shared_place(call, blob[1])
        redis.call('HSETNX', shared, name, blob[2])
      else
        redis.call('SET', key(call, 'b', blob[1]), blob[2], 'NX')
      end
    end
  end
end

local function drop_blob(call, digest)
  redis.call('DEL', key(call, 'b', digest))
  if call.short then
    redis.call('HDEL', shelf_of(call, digest), digest)
    redis.call('HDEL', shared_place(call, digest))
  end
end

-- As the port writes scores: their order is the order of the texts. For instants after 1970 only.
local function score_text(call, ms)
  if call.short then
    return struct.pack('>I4I4', 2147483648 + math.floor(ms / 4294967296), ms % 4294967296)
  end
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
-- that somebody takes out of the list leaves a gap. An id of 16 bytes comes last: blanks may be in it.
local function ledger_line(short, number, id, version, now, body)
  if short then
    return number .. ' ' .. version .. ' ' .. now .. (id == '' and '-' or '+') .. id .. body
  end
  return number .. ' ' .. id .. ' ' .. version .. ' ' .. now .. ' ' .. body
end

local function append_ledger(call, id, version, bodies)
  local before = redis.call('HINCRBY', call.meta, 'led', digits(#bodies)) - #bodies
  local lines = {}
  for position, body in ipairs(bodies) do
    local number = digits(before + position - 1)
    lines[position] = ledger_line(call.short, number, id, digits(version), digits(call.now), body)
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
