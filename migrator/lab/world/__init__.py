"""The world file: what a practice fleet consists of, read, checked and turned into plain frozen data.

Loading, checking and the documents and manifests that follow from a world belong here, and putting them into a
running fleet through its public APIs; nothing here starts or stops anything.
"""
