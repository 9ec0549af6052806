"""What goes wrong in a practice fleet, when it was told to: declared in the world file or switched on while it runs.

The parts of the lab know nothing of faults: each asks a small question of its own (is this call to be answered? what
does this reader see?), and what is here answers it.
"""
