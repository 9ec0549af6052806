"""The pod identity webhook: what EKS does to a pod at admission. No credentials, no AWS calls here."""
