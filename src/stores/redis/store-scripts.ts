import { script } from './client.ts';

/**
 * An entry is a hash: `v` value, `n` tag names for us, `t` tag keys and the token each had when the entry was written.
 * Invalidating a tag deletes its token, and a token that is gone or another makes the entry absent. So a tag the
 * server evicted loses entries, and never brings one back.
 */
const LIVE = `
local function live(key)
  local entry = redis.call('HMGET', key, 'v', 't', 'n')
  if not entry[1] then return nil end
  if entry[2] then
    local tags = cmsgpack.unpack(entry[2])
    for i = 1, #tags, 2 do
      if redis.call('GET', tags[i]) ~= tags[i + 1] then
        redis.call('UNLINK', key)
        return nil
      end
    end
  end
  return entry
end
`;

/** KEYS: entry. Answers nothing, or value, milliseconds left and tag names. */
export const READ = script(`${LIVE}
local entry = live(KEYS[1])
if not entry then return false end
return { entry[1], redis.call('PTTL', KEYS[1]), entry[3] or '' }
`);

/** KEYS: entry, tags. ARGV: value, ttl, 1 if only when absent, tag names, token for new tags. Answers 1 if stored. */
export const WRITE = script(`${LIVE}
if ARGV[3] == '1' and live(KEYS[1]) then return 0 end
local ttl = tonumber(ARGV[2])
local tags = {}
for i = 2, #KEYS do
  local token = redis.call('GET', KEYS[i])
  if not token then
    token = ARGV[5]
    redis.call('SET', KEYS[i], token, 'PX', ARGV[2])
  elseif redis.call('PTTL', KEYS[i]) < ttl then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
  tags[#tags + 1] = KEYS[i]
  tags[#tags + 1] = token
end
-- A full server refuses only a script that has not written yet, so nothing may be deleted before this.
redis.call('HSET', KEYS[1], 'v', ARGV[1])
if #tags > 0 then
  redis.call('HSET', KEYS[1], 't', cmsgpack.pack(tags), 'n', ARGV[4])
else
  redis.call('HDEL', KEYS[1], 't', 'n')
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

/** KEYS: entry. ARGV: the value it must hold, if any. Answers 1 if removed. */
export const DELETE = script(`${LIVE}
local entry = live(KEYS[1])
if not entry or (ARGV[1] and entry[1] ~= ARGV[1]) then return 0 end
return redis.call('UNLINK', KEYS[1])
`);

/** KEYS: entry. ARGV: the value it must hold, the one to put in its place. Its end and its tags stay. Answers 1 if done. */
export const REPLACE = script(`${LIVE}
local entry = live(KEYS[1])
if not entry or entry[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[2])
return 1
`);

const PATTERN = `
local pattern = string.gsub(KEYS[1], '[%*%?%[%]%^%-%\\\\]', '\\\\%0') .. '*'
`;

/**
 * KEYS: beginning of entries. ARGV: cursor, size. Answers the next cursor, then rests of keys, each with its value. Where
 * others fill the server it looks on a hundred times before it answers with an empty page.
 */
export const SCAN = script(`${LIVE}${PATTERN}
local page = { ARGV[1] }
for round = 1, 100 do
  local batch = redis.call('SCAN', page[1], 'MATCH', pattern, 'COUNT', ARGV[2])
  page[1] = batch[1]
  for i = 1, #batch[2] do
    local entry = live(batch[2][i])
    if entry then
      page[#page + 1] = string.sub(batch[2][i], #KEYS[1] + 1)
      page[#page + 1] = entry[1]
    end
  end
  if #page > 1 or page[1] == '0' then break end
end
return page
`);

/** KEYS: beginning of entries. ARGV: cursor. Removes one batch; answers the next cursor. Runs where the keys live. */
export const SWEEP = script(`
local pattern = string.gsub(KEYS[1], '[%*%?%[%]%^%-%\\\\]', '\\\\%0') .. '*'
local batch = redis.call('SCAN', ARGV[1], 'MATCH', pattern, 'COUNT', 500)
for i = 1, #batch[2] do redis.call('UNLINK', batch[2][i]) end
return batch[1]
`);
