"""Events and results to terminal, lines, JSON. Nothing here decides anything."""
