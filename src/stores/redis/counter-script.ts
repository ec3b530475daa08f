import { script } from './client.ts';
import { COUNTER_STATE_LUA } from './counter-state-script.ts';

const RESERVE = `
local function reserve(record, id, limits, keys)
  local states = loadAll(limits, keys)
  local admitted = true
  if redis.call('EXISTS', record) == 1 then return views({ '1', int(now) }, states) end
  for i, limit in ipairs(limits) do
    local state = states[i]
    local missing = limit[4] - (limit[3] - state.used - state.held)
    if missing > 0 then
      admitted = false
      if limit[1] == 'rate' then missing = missing - state.used end
      if limit[4] <= limit[3] and limit[1] ~= 'window' then state.wait = expiryWait(state, missing) end
    end
  end
  if not admitted then return views({ '0', int(now) }, states) end
  local ends = now + tonumber(ARGV[6])
  for i, limit in ipairs(limits) do
    local state = states[i]
    if limit[5] == 1 then
      spend(state, limit, limit[4])
    else
      redis.call('ZADD', state.leases, int(ends), member(limit, ARGV[7], id))
      redis.call('PEXPIRE', state.leases, RETAIN_MS)
      state.held = state.held + limit[4]
    end
    save(state, limit)
  end
  redis.call('HSET', record, 's', 'held', 't', int(now), 'e', int(ends), 'c', ARGV[7], 'l', ARGV[4], 'v', ARGV[5],
    'k', cmsgpack.pack(keys))
  redis.call('PEXPIRE', record, int(tonumber(ARGV[6]) + GRACE_MS))
  return views({ '1', int(now) }, states)
end
`;

const END = `
local function actual(limit, amounts) return amounts[limit[2]] or limit[4] end

local function charge(record, limits, keys, amounts)
  local states = loadAll(limits, keys)
  for i, limit in ipairs(limits) do
    spend(states[i], limit, limit[5] == 1 and limit[4] or actual(limit, amounts))
    save(states[i], limit)
  end
  remember(record)
  return views({ 'settled', int(now), ARGV[5] }, states)
end

local function finish(record, id, amounts)
  local r = redis.call('HMGET', record, 's', 't', 'e', 'c', 'l', 'v', 'k')
  if r[1] == 'settled' then return { 'repeated' } end
  if not r[1] then return nil end
  local limits, keys = cjson.decode(r[5]), cmsgpack.unpack(r[7])
  local states = loadAll(limits, keys)
  for i, limit in ipairs(limits) do
    local state = states[i]
    if limit[5] == 1 then
      if not amounts then refund(state, limit, limit[4], tonumber(r[2])) end
    else
      local charged = r[4] == '1'
      if redis.call('ZREM', state.leases, member(limit, r[4], id)) == 1 then
        state.held = state.held - limit[4]
        charged = false
      end
      local difference = (amounts and actual(limit, amounts) or 0) - (charged and limit[4] or 0)
      if difference >= 0 then spend(state, limit, difference)
      else refund(state, limit, -difference, tonumber(r[3])) end
    end
    save(state, limit)
  end
  if amounts then remember(record) else redis.call('DEL', record) end
  return views({ amounts and 'settled' or 'released', int(now), r[6] }, states)
end

local function renew(record, id)
  local r = redis.call('HMGET', record, 's', 'c', 'l', 'k')
  if r[1] ~= 'held' then return { '0' } end
  local limits, keys = cjson.decode(r[3]), cmsgpack.unpack(r[4])
  local states = loadAll(limits, keys)
  for i, limit in ipairs(limits) do
    if limit[5] ~= 1 and not redis.call('ZSCORE', states[i].leases, member(limit, r[2], id)) then return { '0' } end
  end
  local ends = now + tonumber(ARGV[6])
  for i, limit in ipairs(limits) do
    if limit[5] ~= 1 then
      redis.call('ZADD', states[i].leases, int(ends), member(limit, r[2], id))
      redis.call('PEXPIRE', states[i].leases, RETAIN_MS)
      save(states[i], limit)
    end
  end
  redis.call('HSET', record, 'e', int(ends))
  redis.call('PEXPIRE', record, int(tonumber(ARGV[6]) + GRACE_MS))
  return { '1' }
end

local function adjust(record, limits, keys)
  local states = loadAll(limits, keys)
  if redis.call('EXISTS', record) == 0 then
    local state, limit = states[1], limits[1]
    local used = tonumber(ARGV[7])
    if ARGV[6] == 'by' then used = state.used + used end
    local lowest = limit[1] == 'rate' and 0 or -SAFE_MAX
    state.used = math.min(SAFE_MAX, math.max(lowest, used))
    save(state, limit)
    remember(record)
  end
  return views({ '1', int(now) }, states)
end
`;

const DISPATCH = `
local record, keys, id = KEYS[1], tail(KEYS, 2), ARGV[3]
local limits = ARGV[4] ~= '' and cjson.decode(ARGV[4]) or {}
if op == 'reserve' then return reserve(record, id, limits, keys) end
if op == 'settle' then
  local amounts = cjson.decode(ARGV[6])
  local reply = finish(record, id, amounts)
  if reply then return reply end
  if #keys == 0 then return { 'unknown' } end
  return charge(record, limits, keys, amounts)
end
if op == 'release' then return finish(record, id, nil) or { 'unknown' } end
if op == 'lease' then return renew(record, id) end
if op == 'adjust' then return adjust(record, limits, keys) end
return views({ '1', int(now) }, loadAll(limits, keys))
`;

/**
 * One decision over any number of limits, in one step and by the server's time. The same arithmetic as
 * `core/rate-arithmetic.ts`, in Lua doubles: every integer stays below 2^53, remainders come from `math.fmod` (Lua's
 * `%` rounds), and numbers are written with `%.0f` (`tostring` keeps 14 digits).
 *
 * KEYS: record of the reservation, then state and leases of each limit (those of a known reservation are in its
 * record). ARGV: operation, wall time or '' for the server's, id, limits, what we want back of them, per operation:
 * reserve ttl, 1 to charge on expiry; settle amounts by unit; lease ttl; adjust by or to, quantity.
 *
 * A limit: kind, unit, maximum, amount, charged on reserve, end, and for a rate its maximum, unit and period.
 * State of a limit, a hash: u used, f fraction, a at, h held. Leases: a sorted set by end of `amount:charge:id`.
 */
export const COUNT = script(COUNTER_STATE_LUA + RESERVE + END + DISPATCH);
