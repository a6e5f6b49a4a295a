"""moto's server with its Classic ELB corrected, on a free port of loopback, until stdin closes.

Prints the address when it listens. GET /_calls answers with the actions called so far, one a line; DELETE forgets them. PUT
/_policy takes an IAM policy, after which only what it allows succeeds, and answers with the keys to sign with; DELETE ends that.
"""

import io
import logging
import sys
import threading
import urllib.parse

import authorization
import corrections
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
corrections.apply_all()
authorization.complete()
moto = DomainDispatcherApplication(create_backend_app)
calls = []


def control(path, method, body):
    """What a test asks of the server itself; None for everything else."""
    if path == "/_calls":
        answer = "".join(f"{call}\n" for call in calls)
        if method == "DELETE":
            calls.clear()
        return answer
    if path == "/_policy":
        return authorization.allow(body.decode()) if method == "PUT" else authorization.allow_everything()
    return None


def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    answer = control(environ["PATH_INFO"], environ["REQUEST_METHOD"], body)
    if answer is not None:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
        return [answer.encode()]
    environ["wsgi.input"] = io.BytesIO(body)
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    query = urllib.parse.parse_qs(body.decode("latin-1"))
    calls.append(target or query.get("Action", [environ["PATH_INFO"]])[0])
    return moto(environ, start_response)


server = make_server("127.0.0.1", 0, application, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
