"""Tables of docs/reference, docs/json.md and docs/decisions: what the code can be asked for."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, Final

from typer.main import get_command

from tests.checkout import CHECKOUT
from vblkfuzz.cli.app import app
from vblkfuzz.cli.verbs import list as lists
from vblkfuzz.cli.verbs.list import Kind
from vblkfuzz.errors import ExitStatus
from vblkfuzz.oracle.judge import RULES

VIEWS: Final = CHECKOUT / "vblkfuzz" / "cli" / "views"
DECISIONS: Final = CHECKOUT / "docs" / "decisions"


def entries(what: Kind) -> list[dict[str, Any]]:
    """All that `vblkfuzz list --json` knows of each entry."""
    return [dict(entry) for entry in lists.entries(what)]


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A table in Markdown; a `|` in a cell is escaped."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# --- Commands ------------------------------------------------------------------------------------


def commands() -> str:
    """Each verb: its help, arguments, options and examples."""
    command = get_command(app)
    context = command.make_context("vblkfuzz", [], resilient_parsing=True)
    return "\n\n".join(_below(command, context))


def _below(group: Any, context: Any) -> Iterator[str]:  # noqa: ANN401 -- of typer
    for name, command in group.commands.items():
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        yield from _verb(command, inner)
        if hasattr(command, "commands"):
            yield from _below(command, inner)


def _verb(command: Any, context: Any) -> Iterator[str]:  # noqa: ANN401 -- of typer
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    yield f"## {context.command_path}"
    yield f"```text\n{usage}\n```"
    yield cleandoc(command.help or "").replace("\b\n", "").replace("*", "\\*")
    records = (one.get_help_record(context) for one in command.get_params(context))
    rows = [(_code(names), _text(text)) for names, text in filter(None, records)]
    yield table(("argument or option", "meaning"), iter(rows))
    examples = command.epilog.partition("Examples:\n")[2].splitlines()
    yield "\n".join(("```sh", *(line.strip() for line in examples), "```"))


def _code(text: str) -> str:
    """Code in a cell. Only HTML has a `|` that forges and the site show alike."""
    if "|" not in text:
        return f"`{text}`"
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"


def _text(text: str) -> str:
    """Escape what Markdown would take for markup, in plain text of a help."""
    return re.sub(r"([*<])", r"\\\1", text)


def exit_codes() -> str:
    """All exit codes, in order, as `vblkfuzz --help` has them."""
    said = " ".join((get_command(app).help or "").partition("Exit codes:")[2].split())
    codes = dict(one.split(" ", 1) for one in said.removesuffix(".").split(", "))
    rows = ((str(int(one)), codes[str(int(one))], f"`{one.name}`") for one in sorted(ExitStatus))
    return table(("code", "meaning", "name in the code"), rows)


# --- What a scenario is written with -------------------------------------------------------------


def operations() -> str:
    """A heading for each actor, and in it one for each operation."""
    ops = entries(Kind.OPS)
    actors = dict.fromkeys(one["actor"] for one in ops)
    return "\n\n".join(
        "\n\n".join(
            (f"## {actor.capitalize()}", *(_op(one) for one in ops if one["actor"] == actor))
        )
        for actor in actors
    )


def _op(entry: dict[str, Any]) -> str:
    parts = [f"### {entry['name']}", entry["summary"]]
    if entry["arguments"]:
        rows = ((f"`{name}`", _values(text)) for name, text in entry["arguments"].items())
        parts.append(table(("argument", "values"), rows))
    parts.append(f"Targets: {', '.join(entry['targets'])}.")
    return "\n\n".join(parts)


def _values(choices: str) -> str:
    return ", ".join(f"`{value}`" for value in choices.split("|"))


def schedule() -> str:
    """The fields of a deviation."""
    rows = (
        (f"`{one['name']}`", _values(one["values"]), one["summary"])
        for one in entries(Kind.SCHEDULE)
    )
    return table(("field", "values", "meaning"), rows)


# --- Rules ---------------------------------------------------------------------------------------


def rules() -> str:
    """A heading for each rule."""
    without = {rule.id: rule.no_situations for rule in RULES}
    return "\n\n".join(_rule(one, without[one["name"]]) for one in entries(Kind.RULES))


def _rule(entry: dict[str, Any], no_situations: str) -> str:
    met = "".join(
        f"\n    * `{one['name']}`: {_text(one['summary'])}" for one in entry["situations"]
    )
    caught = ", ".join(f"`{name}`" for name in entry["defects"]) or "none"
    facts = (
        f"Source: {entry['source']}",
        f"A correct device: {entry['instead']}",
        f"Targets: {', '.join(entry['targets'])}",
        f"Situations that put it to the test:{met}" if met else f"No situations: {no_situations}",
        f"Planted defects that it catches: {caught}",
    )
    listed = "\n".join(f"* {fact}" for fact in facts)
    return f"## {entry['name']}\n\n{entry['title']}\n\n{listed}"


# --- Others --------------------------------------------------------------------------------------


def json_keys(schema: str) -> str:
    """The keys of each line that a schema in `VIEWS` describes."""
    return "\n\n".join(
        f"### {line['title']}\n\n" + table(("key", "type", "meaning"), _keys(line["properties"]))
        for line in json.loads((VIEWS / schema).read_text())["oneOf"]
    )


def _keys(properties: dict[str, dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, schema in properties.items():
        if "const" in schema and "description" not in schema:
            yield f"`{name}`", "string", f"always `{schema['const']}`"
        elif "const" in schema:
            yield f"`{name}`", json.dumps(schema["const"]), schema["description"]
        else:
            yield f"`{name}`", _type(schema), schema["description"]


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    kinds = schema["type"]
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def decisions() -> str:
    """A line for each decision: its heading."""
    pages = sorted(DECISIONS.glob("0*.md"))
    headings = [
        (page.name, page.read_text().partition("\n")[0].removeprefix("# ")) for page in pages
    ]
    return "\n".join(f"* [{heading}]({name})" for name, heading in headings)
