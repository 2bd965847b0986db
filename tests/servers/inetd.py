#!/usr/bin/env python3
"""
Starts a program for each connection on loopback, which is its input and output: inetd.py PORT PROGRAM...

For servers that leave listening to others. It runs until it is ended; what it started goes on.
"""
import os
import signal
import socket
import sys

HOST = "127.0.0.1"


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    listener = socket.create_server((HOST, int(sys.argv[1])), backlog=128)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in (0, 1, 2):
                os.dup2(connection.fileno(), number)
            os.execv(sys.argv[2], sys.argv[2:])
        connection.close()


if __name__ == "__main__":
    main()
