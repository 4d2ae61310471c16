"""Reads source without running it: follows the sockets of a module through its flow, by the tables of the roles."""
