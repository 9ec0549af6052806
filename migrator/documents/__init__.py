"""Files that people write: YAML with line numbers, checked against a JSON Schema, and written back in one fixed form.

Nothing here knows what a plan, a fleet or a world is; whoever reads such a file brings its schema along.
"""
