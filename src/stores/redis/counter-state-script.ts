/** The part of the script that knows one limit: loading, draining, spending, saving. See `counter-script.ts`. */
export const COUNTER_STATE_LUA = `
local GRACE_MS, RETAIN_MS, STEP_MS, REAP_MAX = 3600000, 90000000, 5000, 256
local SAFE_MAX = 9007199254740991
local op = ARGV[1]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function int(n) return string.format('%.0f', n) end
local function units(limit, ms) return math.floor(ms / limit[8]) end

local function drained(limit, fraction, elapsed)
  local maximum, period = limit[7], limit[9]
  local rest = math.fmod(elapsed, period)
  local part = math.fmod(maximum, period)
  local numerator = fraction + rest * part
  local left = math.fmod(numerator, period)
  return (elapsed - rest) / period * maximum + rest * ((maximum - part) / period) + (numerator - left) / period, left
end

local function drain(state, limit)
  local elapsed = units(limit, now) - state.at
  if elapsed < 0 then
    if -elapsed * limit[8] > STEP_MS then state.at, state.changed = units(limit, now), true end
    return
  end
  if elapsed == 0 then return end
  state.at = units(limit, now)
  if state.used <= 0 then return end
  local tokens, left = drained(limit, state.fraction, elapsed)
  if tokens >= state.used then
    state.used, state.fraction = 0, 0
  else
    state.used, state.fraction = state.used - tokens, left
  end
end

local function spend(state, limit, amount)
  if limit[1] ~= 'concurrency' then state.used = math.min(SAFE_MAX, state.used + amount) end
end

local function refund(state, limit, amount, since)
  if limit[1] == 'concurrency' then return end
  if limit[1] == 'rate' then
    local gone, part = drained(limit, 0, math.max(0, units(limit, now) - units(limit, since)))
    if gone >= amount then return end
    state.used, state.fraction = state.used - (amount - gone), state.fraction - part
    if state.fraction < 0 then state.used, state.fraction = state.used + 1, state.fraction + limit[9] end
    if state.used <= 0 then state.used, state.fraction = 0, 0 end
  else
    state.used = state.used - amount
  end
end

local function load(limit, key, leases)
  local v = redis.call('HMGET', key, 'u', 'f', 'a', 'h')
  local state = { key = key, leases = leases, used = tonumber(v[1]) or 0, fraction = tonumber(v[2]) or 0,
    at = tonumber(v[3]) or 0, held = tonumber(v[4]) or 0 }
  if limit[1] == 'rate' then
    if not v[3] then state.at = units(limit, now) end
    drain(state, limit)
  end
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', int(now), 'LIMIT', 0, REAP_MAX)) do
    local amount, charge = string.match(expired, '^(%d+):(%d):')
    redis.call('ZREM', leases, expired)
    state.held = state.held - tonumber(amount)
    state.changed = true
    if charge == '1' then spend(state, limit, tonumber(amount)) end
  end
  if state.held ~= 0 and redis.call('EXISTS', leases) == 0 then state.held = 0 end
  return state
end

local function save(state, limit)
  redis.call('HSET', state.key, 'u', int(state.used), 'f', int(state.fraction), 'a', int(state.at), 'h', int(state.held))
  local keep = RETAIN_MS
  if limit[1] == 'window' then keep = keep + math.max(0, limit[6] - now) end
  if limit[1] == 'rate' then keep = keep + math.ceil(state.used / limit[7] * limit[9]) * limit[8] end
  if limit[1] == 'total' then redis.call('PERSIST', state.key) else redis.call('PEXPIRE', state.key, int(keep)) end
end

local function member(limit, charge, id) return int(limit[4]) .. ':' .. charge .. ':' .. id end

local function views(reply, states)
  for _, state in ipairs(states) do
    reply[#reply + 1] = int(state.used)
    reply[#reply + 1] = int(state.held)
    reply[#reply + 1] = int(state.at)
    reply[#reply + 1] = int(state.fraction)
    reply[#reply + 1] = state.wait or '-1'
  end
  return reply
end

local function loadAll(limits, keys)
  local states = {}
  for i, limit in ipairs(limits) do
    states[i] = load(limit, keys[2 * i - 1], keys[2 * i])
    if states[i].changed then save(states[i], limit) end
  end
  return states
end

local function expiryWait(state, missing)
  local freed, from = 0, 0
  while true do
    local batch = redis.call('ZRANGE', state.leases, from, from + 99, 'WITHSCORES')
    if #batch == 0 then return '-1' end
    for i = 1, #batch, 2 do
      freed = freed + tonumber(string.match(batch[i], '^(%d+):'))
      if freed >= missing then return int(math.max(0, tonumber(batch[i + 1]) - now)) end
    end
    from = from + 100
  end
end

local function tail(list, first)
  local rest = {}
  for i = first, #list do rest[#rest + 1] = list[i] end
  return rest
end

local function remember(record)
  redis.call('DEL', record)
  redis.call('HSET', record, 's', 'settled')
  redis.call('PEXPIRE', record, GRACE_MS)
end
`;
