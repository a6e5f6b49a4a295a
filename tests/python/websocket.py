"""A WebSocket client that is not ours: connects, sends `hello`, wants it back, and says how it went.

Arguments: the URL, the host and port to connect to in its place, the file with the root certificate.
"""

import socket
import ssl
import sys

from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect

url, host, port, root = sys.argv[1:]
try:
    context = ssl.create_default_context(cafile=root)
    with connect(url, sock=socket.create_connection((host, int(port))), ssl=context) as chat:
        chat.send("hello")
        print("echoed", chat.recv(timeout=20))
except InvalidHandshake as error:
    print("refused", error)
