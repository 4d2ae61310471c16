"""The top layer: the command `lifecycle`. It may import every other layer, and none of them imports it."""

import sys
from importlib.util import find_spec

NEEDED = ("click", "rich")
"""packages of the extra `cli`"""


def main() -> None:
    """Run the command; without its extra, print one line that says what to install, and exit with 2."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(f'The command needs {" and ".join(missing)}: pip install "socket-lifecycle[cli]"\n')
        sys.exit(2)
    from lifecycle.cli.app import main as run

    run()
