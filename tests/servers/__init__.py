"""Private servers for tests and demonstrations: standard library only, loopback only."""
