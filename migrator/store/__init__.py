"""The only code that reads or writes our files: fleet file, plan files, the SQLite store.

Formats live here, with their schemas; what the data mean is in `model`.
"""
