"""The practice fleet: AWS accounts and EKS clusters made of loopback ports, to try the migration on without a cloud.

Only the command layer may import it. It imports nothing of the product but `model` and `documents`, so the product
cannot come to rely on it: to the rest of the program it is endpoints, a kubeconfig and credentials.
"""
