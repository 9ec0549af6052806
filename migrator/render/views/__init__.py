"""One module per command: its result as a document, for JSON and YAML, and that document as blocks, for people.

The blocks are made from the document alone, so the two can never tell different stories.
"""
