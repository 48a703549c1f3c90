"""A real SMTP server that stores what it accepts: NNNN.eml is the message, NNNN.json its envelope.

An address that begins with `refuse-` is refused for good (550), one with `later-` for now (451).
usage: smtp_sink.py ADDRESS PORT FOLDER [CERT KEY]     (with CERT and KEY, STARTTLS is required)
"""

import json
import os
import ssl
import sys
import threading

from aiosmtpd.controller import Controller


class Store:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local.startswith("refuse-"):
            return "550 5.1.1 no such mailbox"
        if local.startswith("later-"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        name = f"{self.count:04}"
        record = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
        }
        self.put(name + ".eml", envelope.content)
        # The envelope comes last: a reader that sees it can read the message.
        self.put(name + ".json", json.dumps(record).encode())
        return "250 Message accepted for delivery"

    def put(self, name, content):
        part = os.path.join(self.folder, name + ".part")
        with open(part, "wb") as file:
            file.write(content)
        os.rename(part, os.path.join(self.folder, name))


def main():
    address, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    tls = None
    if len(sys.argv) > 5:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[4], sys.argv[5])
    controller = Controller(
        Store(folder), hostname=address, port=port, tls_context=tls, require_starttls=tls is not None
    )
    controller.start()
    threading.Event().wait()


main()
