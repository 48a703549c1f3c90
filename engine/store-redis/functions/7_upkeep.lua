-- Changes that no lane makes, and how an archived lane leaves. Not here: logs that grow, inboxes, leases, queues.

-- How long a call that comes a second time is known again, in seconds.
local UPKEEP_KNOWN_S = 600

local function read_upkeep(read)
  local function rows(width)
    local list = {}
    for position = 1, tonumber(read:next()) do
      list[position] = read:list(width)
    end
    return list
  end
  return { lanes = rows(2), expect = rows(2), documents = rows(3), summaries = rows(2), runs = rows(2),
    archived = rows(2), index = rows(4), ledger = rows(1) }
end

local function is_archivable(call, run, digest)
  local record = read_run(call, run)
  if not record or (record.archive ~= '' and record.archive ~= digest) then
    return false
  end
  local state = redis.call('HGET', key(call, 'l', record.root), 'st')
  return state == 'E' or state == 'X'
end

-- An answer that refuses, or nothing.
local function refuse_upkeep(call, change)
  for _, lane in ipairs(change.lanes) do
    local version = redis.call('HGET', key(call, 'l', lane[1]), 'v') or '0'
    if version ~= lane[2] then
      return { 'V', tonumber(version) }
    end
  end
  for position, expect in ipairs(change.expect) do
    if (redis.call('HGET', key(call, 'd', expect[1]), 'v') or '0') ~= expect[2] then
      return { 'E', position - 1 }
    end
  end
  for _, archived in ipairs(change.archived) do
    if not is_archivable(call, archived[1], archived[2]) then
      return { 'A' }
    end
  end
end

local function set_archive(call, run, digest)
  local record = read_run(call, run)
  if record then
    record.archive = digest
    write_run(call, run, record)
  end
end

local function write_lists(call, change)
  local changes = {}
  for position, entry in ipairs(change.index) do
    local score = entry[3] ~= '' and entry[3] or nil
    changes[position] = { index = entry[1], member = entry[2], score = score, body = entry[4] }
  end
  for _, run in ipairs(change.runs) do
    write_summary(call, run[1], read_run(call, run[1]), run[2], changes)
  end
  for _, entry in ipairs(changes) do
    if not entry.score then
      remove_entry(call, entry.index, entry.member)
    elseif entry.body ~= OF_RUN then
      put_entry(call, entry.index, entry.member, entry.score, entry.body)
    end
  end
  local lines = {}
  for position, line in ipairs(change.ledger) do
    lines[position] = line[1]
  end
  if #lines > 0 then
    append_ledger(call, '', 0, lines)
  end
end

-- ARGV: call id, then eight lists, each with its length before it
local function h1_upkeep(keys, args)
  local call = begin(keys)
  local mark = key(call, 'uk', args[1])
  local known = redis.call('GET', mark)
  if known then
    return { 'K', tonumber(known) }
  end
  local change = read_upkeep(reader(args, 2))
  local refused = refuse_upkeep(call, change)
  if refused then
    return refused
  end
  local seq = redis.call('HINCRBY', call.meta, 'seq', 1)
  for _, document in ipairs(change.documents) do
    write_document(call, document[1], document[2], document[3])
  end
  for _, summary in ipairs(change.summaries) do
    if redis.call('EXISTS', key(call, 'l', summary[1])) == 1 then
      put_summary(call, summary[1], summary[2])
    end
  end
  for _, archived in ipairs(change.archived) do
    set_archive(call, archived[1], archived[2])
  end
  write_lists(call, change)
  wake(call)
  redis.call('SET', mark, seq, 'EX', UPKEEP_KNOWN_S)
  return { 'K', seq }
end

-- Each takes at most `left` entries away and answers how many may still go.
local function shorten_list(name, left)
  local cut = math.min(redis.call('LLEN', name), left)
  if cut > 0 then
    redis.call('LTRIM', name, cut, -1)
  end
  return left - cut
end

local function shorten_children(call, id, left)
  local order = key(call, 'co', id)
  local names = redis.call('LRANGE', order, 0, math.ceil(left / 2) - 1)
  if #names == 0 then
    return left
  end
  redis.call('HDEL', key(call, 'c', id), unpack(names))
  redis.call('LTRIM', order, #names, -1)
  return math.max(0, left - 2 * #names)
end

local function shorten(call, id, left)
  left = shorten_list(key(call, 'g', id), left)
  if left > 0 then
    left = shorten_list(key(call, 'i', id), left)
  end
  if left > 0 then
    left = left - #redis.call('SPOP', key(call, 'k', id), left)
  end
  if left > 0 then
    left = shorten_children(call, id, left)
  end
  return left
end

local function forget_lane(call, id, run, is_root)
  redis.call('DEL', key(call, 'n', id), key(call, 'o', id), key(call, 't', id))
  if is_root then
    redis.call('HDEL', key(call, 'l', id), 'f', 'd', 'ci', 'tk', 'ic', 'wk', 'sk')
    redis.call('HSET', key(call, 'l', id), 'st', 'X')
  else
    remove_entry(call, 'strays:' .. run, id)
    redis.call('DEL', key(call, 's', id), key(call, 'l', id))
  end
end

-- ARGV: lane, archive digest, most deletions. Answers D(one), M(ore) or A: not archived under it.
local function h1_purge(keys, args)
  local call = begin(keys)
  local id = args[1]
  local header = redis.call('HMGET', key(call, 'l', id), 'st', 'run')
  if not header[1] or header[1] == 'X' then
    return 'D'
  end
  local record = read_run(call, header[2])
  if header[1] ~= 'E' or not record or record.archive ~= args[2] then
    return 'A'
  end
  redis.call('ZREM', call.prefix .. 'feed', id)
  if shorten(call, id, tonumber(args[3])) == 0 then
    return 'M'
  end
  forget_lane(call, id, header[2], record.root == id)
  return 'D'
end

-- ARGV: run, archive digest, number of blobs, blob..., document... Answers D(one) or A: not archived under it.
local function h1_drop_own(keys, args)
  local call = begin(keys)
  local record = read_run(call, args[1])
  if not record or record.archive ~= args[2] then
    return 'A'
  end
  local last_blob = 3 + tonumber(args[3])
  for place = 4, #args do
    if place <= last_blob then
      drop_blob(call, args[place])
    else
      redis.call('DEL', key(call, 'd', args[place]))
    end
  end
  return 'D'
end
