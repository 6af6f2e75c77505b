"""The command line `crack-utils`, one file for each group of commands. No other room depends on it."""
