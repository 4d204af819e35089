local hs = { status = "Progressing", message = "Waiting for the first look" }
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return hs
end
local is = {}
for _, c in ipairs(obj.status.conditions or {}) do
  is[c.type .. "=" .. c.status] = c.message or ""
end
local held, stalled, ready = is["Held=True"], is["Stalled=True"], is["Ready=True"]
local working = is["Reconciling=True"] or is["Released=Unknown"]
if held then
  hs.status, hs.message = "Suspended", held
elseif stalled then
  hs.status, hs.message = "Degraded", stalled
elseif working then
  hs.status, hs.message = "Progressing", working
elseif ready then
  hs.status, hs.message = "Healthy", ready
else
  hs.message = is["Ready=Unknown"] or is["Ready=False"] or hs.message
end
return hs
