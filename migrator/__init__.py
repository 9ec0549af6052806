"""The IRSA-to-EKS-Pod-Identity migration orchestrator."""

__version__ = "0.1.0"
