"""The command line `crack-utils`: one file a group of commands. The rooms below know nothing of a command line."""
