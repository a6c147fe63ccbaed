#!/usr/bin/env python3
"""Serves the repositories of a folder over HTTP on loopback, by git's own http-backend.

git_server.py FOLDER PORT_FILE LOG
A path below /private/ needs the user "git" with the password "s3cret-token"; /moved/ leads to /public/
at another name of this machine. PORT_FILE gets the port, LOG a line for each request.
"""
import base64
import http.server
import os
import subprocess
import sys

FOLDER, PORT_FILE, LOG = sys.argv[1:4]
LOGIN = "Basic " + base64.b64encode(b"git:s3cret-token").decode()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve(self):
        path, _, query = self.path.partition("?")
        with open(LOG, "a") as log:
            log.write(f"{self.command} {self.path}\n")
        if path.startswith("/moved/"):
            port = self.server.server_address[1]
            elsewhere = self.path.replace("/moved/", "/public/", 1)
            self.answer(302, ("Location", f"http://localhost:{port}{elsewhere}"))
        elif path.startswith("/private/") and self.headers.get("Authorization") != LOGIN:
            self.answer(401, ("WWW-Authenticate", 'Basic realm="git"'))
        else:
            self.backend(path, query)

    def backend(self, path, query):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": FOLDER, "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        result = subprocess.run(["git", "http-backend"], input=body, env=environment,
                                stdout=subprocess.PIPE, check=False).stdout
        head, _, content = result.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value[:3]) for name, value in lines if name == "Status"), 200)
        self.send_response(status)
        for name, value in lines:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(PORT_FILE + ".new", "w") as port:
    port.write(str(server.server_address[1]))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
