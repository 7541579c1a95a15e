"""A command that needs several rooms but no study, one file each."""
