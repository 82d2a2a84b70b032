"""An API server of Kubernetes, asked with nothing but Python's own library: as much as a benchmark needs."""
import http.client
import json
import ssl
import threading

# Seconds for an answer; a watch may be silent for longer.
PATIENCE = 60


class Api:
    """A server on this machine; each thread has a connection of its own."""

    def __init__(self, port, directory):
        self.port = port
        self.context = ssl.create_default_context(cafile=f"{directory}/ca.crt")
        self.headers = {"Authorization": "Bearer admin-token"}
        self.own = threading.local()

    def connect(self, timeout=PATIENCE):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.context)

    def call(self, method, path, body=None, kind="application/json"):
        """The status and the document of an answer."""
        if not hasattr(self.own, "connection"):
            self.own.connection = self.connect()
        words = None if body is None else json.dumps(body)
        self.own.connection.request(method, path, words, self.headers | {"Content-Type": kind})
        answer = self.own.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def must(self, method, path, body=None, kind="application/json"):
        """The document of an answer that is none of trouble."""
        status, document = self.call(method, path, body, kind)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {document.get('message')}")
        return document

    def follow(self, path):
        """What there is, and then all that changes: pairs of a kind of change and an object. Ends with the server."""
        while True:
            try:
                listed = self.must("GET", path)
                for item in listed["items"]:
                    yield "ADDED", item
                yield from self.watch(path, listed["metadata"]["resourceVersion"])
            except (OSError, http.client.HTTPException):
                return

    def watch(self, path, version):
        connection = self.connect(timeout=None)
        connection.request("GET", f"{path}?watch=1&resourceVersion={version}", None, self.headers)
        answer = connection.getresponse()
        while line := answer.readline():
            change = json.loads(line)
            yield change["type"], change["object"]
        # Servers end every watch within the hour.
