"""The workload controllers, driven by watches over the public API; what pods then do is the nodes' job."""

from migrator.lab.controllers.runner import EVERY_KIND, Controllers

__all__ = ["EVERY_KIND", "Controllers"]
