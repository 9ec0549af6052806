"""What restart and verify share about a service's pods: which there are, how each is judged, asked and made anew.

No step is here, and nothing here knows a step's before and after beyond the identity that is wanted.
"""
