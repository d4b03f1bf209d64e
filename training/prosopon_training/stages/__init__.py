"""One file per training stage; each has ``add_arguments`` and ``run``."""
