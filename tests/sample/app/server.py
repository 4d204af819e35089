"""Answers a greeting, and whether it is well."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SETTINGS = json.loads(Path(__file__).with_name("settings.json").read_text())


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/api/health-check":
            self.answer("application/json", json.dumps({"success": True}))
        else:
            self.answer("text/plain; charset=utf-8", SETTINGS["greeting"] + "\n")

    def answer(self, kind, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    if "port" not in SETTINGS:
        sys.exit("settings.json: there is no port")
    ThreadingHTTPServer(("", SETTINGS["port"]), Greeter).serve_forever()
