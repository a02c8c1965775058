"""The command `commonbeat`: one small module per subcommand, loaded when it is asked for."""
