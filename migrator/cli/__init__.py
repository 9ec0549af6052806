"""Commands, options, wiring, exit codes: thin.

The command modules import typer and the standard library only; a command imports its engine when it runs.
"""
