"""What the add-on step knows of the updates it began."""
