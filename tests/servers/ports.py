"""
Ports on loopback for private servers. Which server listens on one, and whether it is ours, is left to the servers.
"""
import socket

HOST = "127.0.0.1"


def free_ports(count):
    """`count` ports that nobody listens on now; another program may take one before its server does."""
    held = []
    for _ in range(count):
        sock = socket.socket()
        sock.bind((HOST, 0))
        held.append(sock)
    ports = [sock.getsockname()[1] for sock in held]
    for sock in held:
        sock.close()
    return ports
