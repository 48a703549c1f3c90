-- Keys, constants and the call's context. Not here: any rule.
--
-- KEYS[1] is always the realm's meta hash `h:{realm}:meta`; every other key has the same prefix and
-- so the same hash tag. Refusals are answers with a letter, never error texts, and name things by
-- their position in the call: no text from outside is ever part of an error.

-- Must be what engine/ports/src/store/bounds.rs says; a test compares them.
local READ_MAX = 500
local INBOX_MAX = 100000
local CARRIED_MAX = 8
-- Longest plan that comes with a claim: a longer one would hold everybody else up.
local CARRIED_BYTES_MAX = 8192
local LANE_TIMERS_MAX = 64
local LANE_HOLDS_MAX = 64
local LANE_WATCHES_MAX = 64
local WATCH_RING_MAX = 100
local FEED_KEEP = 10000
-- Entries of the feed in one answer: a longer one would hold everybody else up.
local FEED_READ_MAX = 100
local STALL_GAP_MS = 5000
local STRIKES_BEFORE_ALONE = 2
local ALONE_SKIP_MAX = 64

-- Priorities are the upper part of a score, order of arrival the lower one: 2^44 arrivals, and the
-- sum stays exact in a double.
local BAND = 17592186044416
-- Most wake tokens that lie unread: a waiter that finds none claims by itself within seconds.
local WAKE_MAX = 64
-- Commits between two trims of the feed: bounds what one trim removes.
local FEED_TRIM_EVERY = 16

-- Longest value of a lane's hash: a longer one would make Redis keep the hash as a table, at several times the
-- room (`hash-max-listpack-value` is 64).
local SMALL_MAX = 60
-- Longest blob that lies in a table with others.
local SHARED_MAX = 1024
-- Hashes of small blobs for each value of a digest's first byte.
local SHELVES = 32

local LIVE = { R = true, L = true, P = true, S = true }

-- A realm is written in one of two forms, which the last letter of its keys' prefix tells: behind `.` ids are 16
-- bytes, digests 32 and scores 8; behind `:`, as the first version wrote, all of them are hex digits.
local function is_short(meta)
  return string.byte(meta, -5) == 46
end

-- One call: the prefix of its keys, the lengths of ids and scores, the time, what was made ready, and the lane
-- that commits.
local function begin(keys)
  local meta = keys[1]
  local short = is_short(meta)
  return {
    meta = meta,
    prefix = string.sub(meta, 1, -5),
    short = short,
    id_length = short and 16 or 36,
    place_length = short and 8 or 16,
    now = now_ms(),
    made_ready = nil,
    own = nil,
    own_dirty = false,
  }
end

-- A whole number as text. Redis and Lua write a number as a floating one when they are left to it, which
-- takes several times as long.
local function digits(number)
  return string.format('%d', number)
end

local function key(call, letter, name)
  return call.prefix .. letter .. ':' .. name
end

-- Blobs of up to `SHARED_MAX` share tables, in which an entry takes less than a key. The table has the first byte of a digest, the
-- entry 28 of the others: 232 bits tell two blobs apart, and Redis rounds a name with more of them up to 48 bytes.
local function shared_place(call, digest)
  return key(call, 'bt', string.sub(digest, 1, 1)), string.sub(digest, 2, 29)
end

local GENERATION = { 'generation', 'copy_taken', 'copy_at', 'regressed' }

-- Number, when a copy was taken and since when it counts, declared regression: 'seen found'.
local function generation_of(call)
  local found = redis.call('HMGET', call.meta, unpack(GENERATION))
  return { found[1] or '0', found[2] or '', found[3] or '', found[4] or '' }
end

-- Reads arguments one after the other.
local function reader(args, at)
  return {
    args = args,
    at = at,
    next = function(self)
      local value = self.args[self.at]
      self.at = self.at + 1
      return value
    end,
    list = function(self, count)
      local values = {}
      for position = 1, count do
        values[position] = self.args[self.at]
        self.at = self.at + 1
      end
      return values
    end,
  }
end

-- Appends to a list in parts: Lua passes only so many values to one call.
local function push_all(list, values)
  local length = 0
  for from = 1, #values, 1000 do
    length = redis.call('RPUSH', list, unpack(values, from, math.min(from + 999, #values)))
  end
  return length
end
