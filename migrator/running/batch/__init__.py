"""Many services without anybody watching: what is to be done, in which order, within which limits, until when."""
