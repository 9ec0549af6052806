"""One module per kind of step; none knows another.

A step reads the world, makes one change, and tells whether it has taken effect.

No step retries, waits, logs or prints: that is the executor's and the edge's work.
"""
