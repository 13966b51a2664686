"""A run of the benchmarks can be read: the page holds every figure, and an absent peer is told as such."""

import json
import sys

import pytest

from benchmarks import environments
from benchmarks.records import Section, cell, machine
from benchmarks.report_page import page, plot


def report(*sections):
    facts = machine() | {"load_at_end": 1.0}
    return {
        "machine": facts,
        "sections": [
            {"title": each.title, "rows": each.rows, "notes": each.notes, "points": each.points}
            for each in sections
        ],
        "clips": {"a.mp4": "abc123"},
    }


def test_the_page_holds_tables_notes_and_checksums_and_escapes_what_it_shows():
    section = Section("Counts <b>", [{"counter": "ngatu & co", "F1": 0.8512, "lost": None}], ["not run: it"])
    text = page(report(section))
    assert "Counts &lt;b&gt;" in text
    assert "ngatu &amp; co" in text
    assert ">0.851<" in text
    assert ">-<" in text
    assert "not run: it" in text
    assert "abc123" in text
    assert "src=" not in text  # it needs nothing else
    assert "http" not in text


def test_a_plot_puts_what_is_cheaper_to_the_left_and_what_is_better_higher():
    points = [
        {"name": "ours", "cost": 10.0, "accuracy": 0.9, "ours": True},
        {"name": "theirs", "cost": 100.0, "accuracy": 0.5, "ours": False},
    ]
    text = plot(points)
    circle = text.split("<circle")[1]
    square = text.split("<rect")[1]

    def number(part, name):
        return float(part.split(f'{name}="')[1].split('"')[0])

    assert number(circle, "cx") < number(square, "x")
    assert number(circle, "cy") < number(square, "y")


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (0.12345, "0.123"), (12.345, "12.35"), (123.4, "123"), (7, "7")]
)
def test_cells(value, shown):
    assert cell(value) == shown


def test_a_peer_that_was_never_installed_says_how_to(monkeypatch, tmp_path):
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    assert "make bench-setup" in environments.find("ultralytics").absent


def test_a_peer_that_does_not_install_is_told_with_the_reason(monkeypatch, tmp_path):
    requirements = tmp_path / "peers"
    requirements.mkdir()
    (requirements / "nobody.txt").write_text("./no-such-wheel.whl\n", encoding="utf-8")
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "made")
    monkeypatch.setattr(environments, "REQUIREMENTS", requirements)
    (tmp_path / "made").mkdir()
    assert environments.names() == ["nobody"]
    made = environments.install("nobody")
    assert "nobody does not install" in made.absent
    kept = json.loads((tmp_path / "made" / "nobody.json").read_text(encoding="utf-8"))
    assert kept["absent"] == made.absent
    assert environments.find("nobody").absent == made.absent


def test_the_interpreter_that_a_peer_needs_is_read_from_its_requirements():
    assert environments.interpreter_for("# python: 3.12\nthing==1\n") == "python3.12"
    assert environments.interpreter_for("thing==1\n") == sys.executable
