"""The command ``ngatu`` as a whole: what it lists, suggests, and does not read before it is needed."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from service.cli import app

COMMANDS = {"count", "recount", "models", "view", "tally", "city", "db", "demo", "doctor", "report"}
COMMANDS |= {"compare", "coverage"}


def test_every_command_is_listed_with_what_it_does() -> None:
    listed = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).stdout
    lines = [line.strip("│ ").split(maxsplit=1) for line in listed.splitlines() if line.startswith("│")]
    told = {words[0]: words[1:] for words in lines if words}
    assert told.keys() >= COMMANDS
    assert all(told[name] for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_own_help(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.exception
    assert f" {name} " in result.stdout


@pytest.mark.parametrize(("typed", "meant"), [("coverag", "coverage"), ("cuont", "count")])
def test_a_mistyped_command_is_suggested(typed: str, meant: str) -> None:
    result = CliRunner().invoke(app, [typed])
    assert result.exit_code == 2
    assert f"'{meant}'" in result.output


def test_a_count_does_not_wait_for_database_workbook_and_web() -> None:
    script = (
        "import sys, service.cli; print(*{'sqlalchemy', 'alembic', 'openpyxl', 'fastapi'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
