"""Drives plans there and back: executor, way back, resume. Knows steps and ports, no client and no file."""
