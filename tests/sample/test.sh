#!/bin/sh
# What must hold before an image is built: a greeter without a greeting is not shipped.
set -eu
cd "$(dirname "$0")"
if ! grep -Eq '"greeting": *"[^"]+"' app/settings.json; then
  echo "FAIL app/settings.json: the greeting is empty"
  exit 1
fi
echo "ok   app/settings.json: there is a greeting"
