-- What wrk sends in the drill of a deploy: pages, reads of the API and, as every tenth request, a list that nobody may send twice.
-- Arguments: the keys of the accounts that take turns.
local paths = {"/", "/docs/api", "/v2/lists", "/v2/account"}
local body = '{"name":"%s-%d","process":"none","records":[{"first_name":"Ada","domain":"alder.example"}]}'
local pauseMs = 20
local shown = 20 -- statuses of one thread that are told
local threads, keys, sent = {}, {}, 0
made, bad = 0, "" -- of one thread; read by done

function setup(thread)
  thread:set("id", tostring(#threads))
  table.insert(threads, thread)
end

function init(args)
  keys = args -- from 1; 0 is the address
end

function delay() return pauseMs end

function request()
  sent = sent + 1
  local headers = {["Authorization"] = "Bearer " .. keys[sent % #keys + 1], ["Content-Type"] = "application/json"}
  if sent % 10 == 0 then return wrk.format("POST", "/v2/lists", headers, body:format(id, sent)) end
  return wrk.format("GET", paths[sent % #paths + 1], headers)
end

function response(status)
  if status == 201 then made = made + 1 end
  if (status < 200 or status > 299) and #bad < 4 * shown then bad = bad .. " " .. status end
end

function done(summary)
  local lists, statuses = 0, ""
  for _, thread in ipairs(threads) do
    lists, statuses = lists + thread:get("made"), statuses .. thread:get("bad")
  end
  local e = summary.errors
  print(string.format('{"answered":%d,"made":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"bad":"%s"}',
    summary.requests, lists, e.connect, e.read, e.write, e.timeout, statuses))
end
