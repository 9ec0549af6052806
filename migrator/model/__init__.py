"""The nouns: facts, plan, journal records, events, errors, ports, and pure edits of trust policies.

Standard library only. Nothing here reads a file, opens a connection, looks at a clock, logs or prints.
"""
