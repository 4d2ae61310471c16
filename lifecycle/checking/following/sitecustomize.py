"""Runs at the start of a Python process under `lifecycle run`, and of its children: this folder is on their PYTHONPATH.

Every Python that the program starts runs it, old ones included, so it uses only syntax that they all have. Then it runs the
sitecustomize that it hides.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

if sys.version_info >= (3, 11) and os.path.isdir(os.environ.get("LIFECYCLE_RUN", "")):
    __import__("lifecycle_following").follow()

sys.path[:] = [entry for entry in sys.path if not entry or os.path.abspath(entry) != HERE]
sys.path_importer_cache.pop(HERE, None)
OWN = sys.modules.pop("sitecustomize", None)
try:
    __import__("sitecustomize")
except ImportError as error:
    if getattr(error, "name", "sitecustomize") not in (None, "sitecustomize"):
        raise
    if OWN is not None:
        sys.modules["sitecustomize"] = OWN
