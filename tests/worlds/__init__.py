"""Practice fleets with what is to be planned for them, written by hand: each finding shown once and missed once."""
