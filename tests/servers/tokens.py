"""
A token service on loopback: issues OAuth2 access tokens, and tells a mail server whom one belongs to.

    with Tokens() as tokens:
        tokens.command("u1")     # prints a new token of u1 whenever it is run
        tokens.expire()          # those issued so far are worth nothing from now on
        tokens.dovecot()         # configuration of a Dovecot that believes in them

A token is "tok-NUMBER-USER". The command is a line of shell on a file in a scratch folder, so that a
program under test can run it; how often it did is tokens.issued().
"""
import http.server
import json
import os
import shlex
import threading
import urllib.parse

from servers.scratch import Scratch

HOST = "127.0.0.1"


class Tokens:
    def __init__(self):
        self._scratch = Scratch("tk-")
        self._count = os.path.join(self._scratch.path, "issued")
        self._floor = 0
        self.asked = []  # tokens that a server asked about, in order
        with open(self._count, "w", encoding="ascii") as out:
            out.write("0")
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                token = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("access_token", [""])[0]
                user = outer._owner(token)
                answer = {"user": user, "active": "true"} if user else {"error": "invalid_token"}
                octets = json.dumps(answer).encode()
                self.send_response(200 if user else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, *_):
                pass
        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._url = f"http://{HOST}:{self._server.server_address[1]}/tokeninfo?access_token="
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._scratch.remove()

    def issued(self):
        with open(self._count, encoding="ascii") as lines:
            return int(lines.read() or 0)

    def expire(self):
        self._floor = self.issued()

    def issue(self, user):
        number = self.issued() + 1
        with open(self._count, "w", encoding="ascii") as out:
            out.write(str(number))
        return f"tok-{number}-{user}"

    def command(self, user):
        """The command line of a program that issues tokens of `user`; it may run several times at once."""
        script = 'exec 9<>"$0.lock"; flock 9; n=$(($(cat "$0") + 1)); echo $n >"$0"; echo "tok-$n-$1"'
        return shlex.join(["sh", "-c", script, self._count, user])

    def dovecot(self):
        """More configuration for servers.dovecot.Dovecot."""
        path = os.path.join(self._scratch.path, "oauth2.conf.ext")
        with open(path, "w", encoding="ascii") as out:
            out.write(f"tokeninfo_url = {self._url}\nusername_attribute = user\n"
                      "active_attribute = active\nactive_value = true\n")
        return ("auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer\n"
                "auth_cache_size = 0\n"
                f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {path}\n}}\n")

    def _owner(self, token):
        """Whose a token is; None if it was never issued or has run out."""
        self.asked.append(token)
        parts = token.split("-", 2)
        if len(parts) != 3 or parts[0] != "tok" or not parts[1].isdigit():
            return None
        return parts[2] if self._floor < int(parts[1]) <= self.issued() else None
