"""What Prometheus is told of a batch run: a file for the textfile collector of the node exporter.

prometheus_client is imported here only, and only by whoever writes such a file.
"""
