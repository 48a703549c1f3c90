-- What is kept of a run: hash in the long form; in the short one a single text, and the run's entry in an index is
-- part of it, because its summary is what stands there. Not here: what a run's lanes write.

-- In place of an entry's body: it is the summary of the run that is its member. No text has this byte.
local OF_RUN = '\254'

-- In the short form.
local DIGEST_LENGTH = 32
local RUN_FIELDS = { 'body', 'root', 'ci', 'seq', 'sum', 'archive' }

-- The digest of what was asked stands in most summaries, packed or not, as these same bytes: then the record has its
-- place there, and not the digest a second time.
local function body_or_place(record)
  return #record.body > 0 and string.find(record.sum, record.body, 1, true) or record.body
end

local function body_of(found)
  if type(found[1]) == 'number' then
    return string.sub(found[5], found[1], found[1] + DIGEST_LENGTH - 1)
  end
  return found[1]
end

-- body, root, ci, seq, sum, archive or '', index or '' with place; nothing for an unknown run.
local function read_run(call, run)
  local name = key(call, 'r', run)
  local found
  if call.short then
    local text = redis.call('GET', name)
    if not text then
      return nil
    end
    found = cmsgpack.unpack(text)
  else
    found = redis.call('HMGET', name, unpack(RUN_FIELDS))
    if not found[1] then
      return nil
    end
  end
  return {
    body = body_of(found), root = found[2], ci = found[3], seq = tonumber(found[4]), sum = found[5],
    archive = found[6] or '', index = found[7] or '', place = found[8] or '',
  }
end

local function write_run(call, run, record)
  local name = key(call, 'r', run)
  if call.short then
    redis.call('SET', name, cmsgpack.pack({ body_or_place(record), record.root, record.ci, record.seq, record.sum,
      record.archive, record.index, record.place }))
  else
    redis.call('HSET', name, 'body', record.body, 'root', record.root, 'ci', record.ci, 'seq', record.seq,
      'sum', record.sum)
    if record.archive ~= '' then
      redis.call('HSET', name, 'archive', record.archive)
    end
  end
end

-- The record whose part this entry is.
local function entry_of_run(call, index, member)
  if call.short and #member == 16 then
    local record = read_run(call, member)
    if record and record.index == index then
      return record
    end
  end
end
