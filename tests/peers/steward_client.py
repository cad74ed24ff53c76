#!/usr/bin/python3
"""A second client of a Steward node, written from steward-control(7) alone.

    steward_client.py SOCKET METHOD [NAME=JSON ...]   one call, its result as JSON
    steward_client.py SOCKET events [FROM]            one event a line, until killed

As a module: Client(path).call("worker.stop", id="api/web") returns the result or
raises Fault; Client.next_event() hands out notifications one after the other.
"""
import json
import os
import socket
import sys


class Fault(Exception):
    """The node answered with an error."""

    def __init__(self, error):
        super().__init__("%s (%d): %s" % (error.get("data", {}).get("name", "?"),
                                          error["code"], error["message"]))
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data", {})
        self.name = self.data.get("name")


def connect(path, timeout):
    """Connects through the directory's descriptor: paths may be longer than 108 bytes."""
    place = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY)
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.connect("/proc/self/fd/%d/%s" % (place, os.path.basename(path)))
        return sock
    finally:
        os.close(place)


class Client:
    def __init__(self, path, timeout=30):
        self.sock = connect(path, timeout)
        self.rest = b""
        self.last_id = 0
        self.notes = []

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send_raw(self, data):
        self.sock.sendall(data)

    def read_line(self):
        """One JSON text; None at the end of the connection."""
        while b"\n" not in self.rest:
            got = self.sock.recv(65536)
            if not got:
                return None
            self.rest += got
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def send(self, method, **params):
        """Sends a request and returns its id."""
        self.last_id += 1
        request = {"jsonrpc": "2.0", "id": self.last_id, "method": method}
        if params:
            request["params"] = params
        self.send_raw(json.dumps(request).encode() + b"\n")
        return self.last_id

    def answer(self, want):
        """Waits for the answer with this id; notifications are kept for next_event."""
        while True:
            line = self.read_line()
            if line is None:
                raise ConnectionError("the node closed the connection")
            if "method" in line:
                self.notes.append(line)
            elif line.get("id") == want:
                if "error" in line:
                    raise Fault(line["error"])
                return line["result"]
            elif line.get("id") is None and "error" in line:
                raise Fault(line["error"])

    def call(self, method, **params):
        return self.answer(self.send(method, **params))

    def tree(self, **params):
        """All nodes of the tree, page by page."""
        nodes = []
        while True:
            page = self.call("tree.list", **params)
            nodes += page["nodes"]
            if "next_cursor" not in page:
                return nodes
            params["cursor"] = page["next_cursor"]

    def next_event(self):
        """(method, params) of the next notification."""
        while not self.notes:
            line = self.read_line()
            if line is None:
                raise ConnectionError("the node closed the connection")
            if "method" in line:
                self.notes.append(line)
        note = self.notes.pop(0)
        return note["method"], note["params"]


def parameter(word):
    name, _, value = word.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def main(argv):
    if len(argv) < 3:
        sys.stderr.write(__doc__)
        return 2
    with Client(argv[1], timeout=None) as client:
        if argv[2] == "events":
            start = {"from": int(argv[3])} if len(argv) > 3 else {}
            client.call("events.subscribe", **start)
            while True:
                print(json.dumps(client.next_event()[1]), flush=True)
        try:
            print(json.dumps(client.call(argv[2], **dict(map(parameter, argv[3:])))))
        except Fault as fault:
            sys.stderr.write("%s\n" % fault)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
