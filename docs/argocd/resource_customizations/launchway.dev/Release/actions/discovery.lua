-- A Release that ended without success can be tried again, as a new Release of the same commit.
local phase = (obj.status or {}).phase
return {
  retry = { disabled = not (phase == "Failed" or phase == "Superseded" or phase == "Cancelled") },
}
