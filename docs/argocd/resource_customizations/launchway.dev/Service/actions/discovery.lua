-- A rollout that failed is held: `retry` lets it be tried again. `restart` rolls the same thing once more.
local stalled = false
for _, c in ipairs((obj.status or {}).conditions or {}) do
  if c.type == "Stalled" and c.status == "True" then
    stalled = true
  end
end
return {
  retry = { disabled = not stalled },
  restart = { disabled = false },
}
