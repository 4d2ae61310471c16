"""Checks programs in any language from outside: their system calls, as strace writes them, by the tables."""
