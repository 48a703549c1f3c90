-- A realm that has gone back is declared so for all its processes, and goes on in a new generation when
-- a person has decided. Not here: how a process finds it, and what lanes make of it.

-- ARGV: generation, seen, found. Says so unless another generation has begun meanwhile. Of several that
-- say so the largest loss counts. Answers the present generation and seq.
local function h1_declare(keys, args)
  local call = begin(keys)
  local present = generation_of(call)
  if present[1] == args[1] then
    local seen, found = tonumber(args[2]), tonumber(args[3])
    local known_seen, known_found = string.match(present[4], '^(%d+) (%d+)$')
    if known_seen then
      seen = math.max(seen, tonumber(known_seen))
      found = math.min(found, tonumber(known_found))
    end
    local declared = string.format('%d %d', seen, found)
    if declared ~= present[4] then
      redis.call('HSET', call.meta, 'regressed', declared)
      present[4] = declared
    end
  end
  return { present, tonumber(redis.call('HGET', call.meta, 'seq') or '0') }
end

-- ARGV: call id, generation that ends, seq to go on above, instant of the copy or '', document, its
-- body, line of the ledger. Answers whether it was written, and as h1_declare.
local function h1_generation(keys, args)
  local call = begin(keys)
  local mark = key(call, 'uk', args[1])
  local known = redis.call('GET', mark)
  local present = generation_of(call)
  if not known and present[1] ~= args[2] then
    return { 'O', present, tonumber(redis.call('HGET', call.meta, 'seq') or '0') }
  end
  if not known then
    local seen = tonumber(string.match(present[4], '^(%d+) ') or '0')
    local seq = math.max(tonumber(redis.call('HGET', call.meta, 'seq') or '0'), tonumber(args[3]), seen) + 1
    redis.call('HSET', call.meta, 'seq', string.format('%d', seq))
    redis.call('HINCRBY', call.meta, 'generation', 1)
    redis.call('HDEL', call.meta, 'regressed')
    if args[4] ~= '' then
      local at = math.max(call.now, tonumber(args[4]) + 1)
      redis.call('HSET', call.meta, 'copy_taken', args[4], 'copy_at', string.format('%d', at))
    end
    write_document(call, args[5], '1', args[6])
    append_ledger(call, '', 0, { args[7] })
    wake(call)
    redis.call('SET', mark, '1', 'EX', UPKEEP_KNOWN_S)
  end
  return { 'K', generation_of(call), tonumber(redis.call('HGET', call.meta, 'seq')) }
end

-- Answers the generation, newest seq, entries of the ledger, now.
local function h1_state(keys)
  local call = begin(keys)
  local count = redis.call('HMGET', call.meta, 'seq', 'led')
  return { generation_of(call), tonumber(count[1] or '0'), tonumber(count[2] or '0'), call.now }
end
