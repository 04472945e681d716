"""What helps people to call commands: the end of their help, and completion in a shell."""
