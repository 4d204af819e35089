local os = require("os")
local again = {
  apiVersion = obj.apiVersion,
  kind = obj.kind,
  metadata = {
    name = obj.spec.pipeline .. "-again-" .. os.date("!%Y%m%d%H%M%S"),
    namespace = obj.metadata.namespace,
  },
  spec = { pipeline = obj.spec.pipeline, commit = obj.spec.commit, reason = "Manual" },
}
return { { operation = "create", resource = again } }
