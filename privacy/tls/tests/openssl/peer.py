"""The other end of a handshake: OpenSSL through pyOpenSSL.

    peer.py server FOLDER SUITE          prints its port, then what it negotiated
    peer.py client FOLDER SUITE PORT     prints what it negotiated

FOLDER holds cert.pem, key.pem and peer.pem, the authority certificate to trust. Each end sends a block and has it echoed,
the client first. Groups and signature schemes come from OPENSSL_CONF: pyOpenSSL has no setter for them.
"""

import json
import signal
import socket
import sys

from OpenSSL import SSL

BLOCK = 40_000


def context(folder, suite):
    made = SSL.Context(SSL.TLS_METHOD)
    made.set_min_proto_version(SSL.TLS1_3_VERSION)
    made.set_tls13_ciphersuites(suite.encode())
    made.use_certificate_file(f"{folder}/cert.pem")
    made.use_privatekey_file(f"{folder}/key.pem")
    made.check_privatekey()
    made.load_verify_locations(f"{folder}/peer.pem")
    made.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *checked: bool(checked[-1]))
    return made


def exactly(connection):
    received = b""
    while len(received) < BLOCK:
        received += connection.recv(BLOCK - len(received))
    return received


def send_and_compare(connection):
    block = bytes(at * 7 % 256 for at in range(BLOCK))
    connection.sendall(block)
    assert exactly(connection) == block, "echo differs"


def echo(connection):
    connection.sendall(exactly(connection))


def main():
    role, folder, suite = sys.argv[1:4]
    signal.alarm(60)
    if role == "server":
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        plain, _ = listener.accept()
    else:
        plain = socket.create_connection(("127.0.0.1", int(sys.argv[4])))
    connection = SSL.Connection(context(folder, suite), plain)
    steps = [echo, send_and_compare] if role == "server" else [send_and_compare, echo]
    connection.set_accept_state() if role == "server" else connection.set_connect_state()
    try:
        connection.do_handshake()
        for step in steps:
            step(connection)
    except SSL.Error as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    told = {
        "openssl": SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode(),
        "cipher": connection.get_cipher_name(),
        "version": connection.get_protocol_version_name(),
        "group": connection.get_group_name(),
        "peer": connection.get_peer_certificate(as_cryptography=True).subject.rfc4514_string(),
    }
    print(json.dumps(told), flush=True)


main()
