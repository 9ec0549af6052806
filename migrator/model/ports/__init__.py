"""What planner, steps and executor ask of the world, as small protocols; adapters and the store implement them.

Errors of all of them: `migrator.model.errors`. A thing that does not exist is None, not an error.
"""
