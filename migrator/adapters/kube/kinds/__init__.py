"""Kinds that a cluster may not have: the parts of their objects that we read, and the facts made of them. Pure."""
