"""A server of remote procedures and a client of it."""

import threading
from xmlrpc.client import ServerProxy
from xmlrpc.server import SimpleXMLRPCServer

with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
    server.register_function(pow)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with ServerProxy("http://{}:{}".format(*server.server_address)) as proxy:
        assert proxy.pow(2, 10) == 1024
    server.shutdown()
    thread.join()
