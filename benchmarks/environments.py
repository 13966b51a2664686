"""The peers' environments, one each under .bench/; ``python -m benchmarks.environments`` makes them.

What cannot be installed is no error: the reason is kept, and every table says "not run" with it.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".bench"
REQUIREMENTS = ROOT / "benchmarks" / "peers"
"""One file of requirements a peer."""
MINUTES = 30


@dataclass(frozen=True)
class Environment:
    """A peer's Python, or why there is none."""

    name: str
    python: Path
    absent: str = ""


def find(name: str) -> Environment:
    """The environment of a peer; ``NGATU_PEERS`` names another Python for ``supervision``."""
    if name == "supervision" and (given := os.environ.get("NGATU_PEERS")):
        return Environment(name, Path(given))
    python = FOLDER / name / "bin" / "python"
    told = FOLDER / f"{name}.json"
    if told.is_file() and (reason := json.loads(told.read_text(encoding="utf-8"))["absent"]):
        return Environment(name, python, reason)
    if not (told.is_file() and python.exists()):
        return Environment(name, python, f"{name} is not installed: make bench-setup")
    return Environment(name, python)


def install(name: str) -> Environment:
    """Make the environment of a peer, unless what it is made from is what is there."""
    file = REQUIREMENTS / f"{name}.txt"
    told, wanted = FOLDER / f"{name}.json", file.read_text(encoding="utf-8")
    python = FOLDER / name / "bin" / "python"
    if told.is_file() and python.exists():
        kept = json.loads(told.read_text(encoding="utf-8"))
        if kept["requirements"] == wanted and not kept["absent"]:
            return Environment(name, python)
    absent = ""
    interpreter = interpreter_for(wanted)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(file)]
    try:
        subprocess.run([interpreter, "-m", "venv", str(FOLDER / name)], check=True, capture_output=True)
        subprocess.run(pip, check=True, capture_output=True, text=True, timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        absent = f"{name} took more than {MINUTES} minutes to install"
    except (OSError, subprocess.CalledProcessError) as error:
        absent = f"{name} does not install: {last_error(getattr(error, 'stderr', '') or str(error))}"
    told.write_text(json.dumps({"requirements": wanted, "absent": absent}, indent=1), encoding="utf-8")
    return Environment(name, python, absent)


def interpreter_for(requirements: str) -> str:
    """The Python that a line ``# python: 3.12`` asks for, or ours."""
    asked = re.search(r"^# python: (\d+\.\d+)$", requirements, re.M)
    return f"python{asked[1]}" if asked else sys.executable


def last_error(text: str | bytes) -> str:
    """The line of a program's complaint that says what is wrong."""
    lines = (text if isinstance(text, str) else text.decode(errors="replace")).strip().splitlines()
    told = [line.strip() for line in lines if "error" in line.lower()]
    return (told or lines or ["it said nothing"])[-1].strip()


def names() -> list[str]:
    """Every peer there is."""
    return sorted(file.stem for file in REQUIREMENTS.glob("*.txt"))


def main() -> None:
    wanted = sys.argv[1:] or names()
    if unknown := set(wanted) - set(names()):
        sys.exit(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    FOLDER.mkdir(exist_ok=True)
    for name in wanted:
        print(f"{name} …", flush=True)
        made = install(name)
        print(f"{name}: {made.absent or 'ready'}", flush=True)


if __name__ == "__main__":
    main()
