"""One TLS context per cluster, trusting that cluster's certificate authority and nobody else."""

import ssl

from migrator.model.errors import EnvironmentFault


def trusting(ca: str) -> ssl.SSLContext:
    """A context that accepts servers certified by `ca` (PEM); by the system's authorities when it is empty.

    Strict mode is off where Python turns it on by itself (3.13 and later): the authorities of existing EKS clusters
    carry no key identifier, and would be refused.

    Raises:
        EnvironmentFault: `ca` is not PEM.
    """
    try:
        context = ssl.create_default_context(cadata=ca) if ca else ssl.create_default_context()
    except (ssl.SSLError, ValueError) as error:
        raise EnvironmentFault(f"the cluster's certificate authority cannot be read: {error}") from error
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
