"""What seeding raises."""

from migrator.documents.yaml_file import FieldPath


class SeedError(Exception):
    """A part of the world that AWS or a cluster refuses; `at` is the field of the world file it comes from."""

    def __init__(self, at: FieldPath, problem: str) -> None:
        super().__init__(problem)
        self.at = at
        self.problem = problem
