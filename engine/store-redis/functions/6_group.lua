-- Small commits of many lanes in one call: what surrounds a call costs as much as such a commit. Each is
-- judged by itself. Not here: commits that write more than events and a line of the ledger.

-- Numbers are taken at once for all that may still come; those of the refused stay unused.
local function next_seq(group)
  if not group.seq then
    group.seq = redis.call('HINCRBY', group.meta, 'seq', digits(group.left)) - group.left
  end
  group.seq = group.seq + 1
  return digits(group.seq)
end

-- Judges one and appends its events; its header is written behind everything else. Answers as text:
-- K seq version dirty, F, V version, U, or S when it has to come by itself.
local function append_small(group, args, at, last)
  local id, fence, version, mark, known, in_call, line, count = unpack(args, at, at + 7)
  if group.lanes[id] then
    return 'S'
  end
  group.lanes[id] = true
  local name = group.prefix .. 'l:' .. id
  local header = redis.call('HMGET', name, 'f', 'v', 'd', 'ci')
  local refused, told = judge(header, fence, version, mark .. ' ')
  if refused == 'K' then
    return 'K ' .. told .. ' ' .. header[2] .. ' 1'
  elseif refused then
    return told and refused .. ' ' .. told or refused
  end
  local dirty = header[3] == '1'
  if dirty and known ~= '' and redis.call('LLEN', group.prefix .. 'i:' .. id) > tonumber(known) then
    return 'U'
  end
  local before, log = tonumber(version), group.prefix .. 'g:' .. id
  local after = digits(before + count)
  if last >= at + 8 and redis.call('RPUSH', log, unpack(args, at + 8, last)) ~= before + count then
    append_again(log, before, { unpack(args, at + 8, last) })
  end
  local seq = next_seq(group)
  if line ~= '' then
    group.lines[#group.lines + 1] = { id, after, line }
  end
  group.headers[#group.headers + 1] = { name, after, mark .. ' ' .. seq, dirty, in_call }
  return 'K ' .. seq .. ' ' .. after .. (dirty and ' 1' or ' 0')
end

local function write_lines(group)
  local count = #group.lines
  if count == 0 then
    return
  end
  local number = redis.call('HINCRBY', group.meta, 'led', digits(count)) - count
  local short = is_short(group.meta)
  for position, line in ipairs(group.lines) do
    local place = digits(number + position - 1)
    group.lines[position] = ledger_line(short, place, line[1], line[2], group.now, line[3])
  end
  push_all(group.prefix .. 'led', group.lines)
end

local function write_headers(group)
  for _, header in ipairs(group.headers) do
    local name, version, mark, dirty, in_call = unpack(header)
    redis.call('HSET', name, 'v', version, 'ci', mark, 'u', group.now)
    if dirty then
      redis.call('HSET', name, 'd', '0')
    end
    if in_call ~= '' then
      redis.call('HSET', name, 'ic', in_call)
    end
  end
end

-- KEYS: meta. ARGV: how many, then for each: lane, fence, version, commit id, letters known or '', in_call or
-- '', line of the ledger or '', events, event... Answers one text: an answer for each, and the time.
local function h1_commits(keys, args)
  local group = {
    meta = keys[1], prefix = string.sub(keys[1], 1, -5), now = digits(now_ms()), left = tonumber(args[1]),
    seq = nil, lanes = {}, lines = {}, headers = {},
  }
  local answers, at = {}, 2
  while args[at] do
    local behind = at + 8 + tonumber(args[at + 7])
    answers[#answers + 1] = append_small(group, args, at, behind - 1)
    group.left = group.left - 1
    at = behind
  end
  write_lines(group)
  write_headers(group)
  answers[#answers + 1] = group.now
  return table.concat(answers, ';')
end
