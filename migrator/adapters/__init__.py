"""The only code that calls AWS or Kubernetes. Fake this folder and the rest of the program cannot tell.

Foreign exceptions are mapped to ours in one place per side, and kept as cause; a flaky call is retried here, by one
policy.
"""
