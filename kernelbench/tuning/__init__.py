"""Searching a variant's tunable parameters: candidates against the default in turns, the winner confirmed."""
