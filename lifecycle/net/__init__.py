"""Real sockets as the handlers of the roles: operations written once, a blocking and an awaited driver, notifications."""
