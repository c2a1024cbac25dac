"""`rag config`: every setting, its value, and where the value comes from. Knows printing only."""

from __future__ import annotations

from typing import Any

from rag.cli.options import Json


def config(json: Json = False) -> None:
    """Show every setting, its value, where the value comes from, and what it means."""
    from rag.config import Settings, load_settings, origin, settings_file

    settings = load_settings({})
    rows: dict[str, dict[str, Any]] = {
        key: {
            "value": _shown(getattr(settings, key), secret=not field.repr),
            "from": origin(key, {}),
            "meaning": field.description,
        }
        for key, field in Settings.model_fields.items()
    }
    if json:
        import json as json_

        print(json_.dumps(rows, ensure_ascii=False, indent=2, default=list))
        return
    print(f"# {settings_file() or 'no rag.toml here or above; these lines can be one'}")
    for key, row in rows.items():
        value = ",".join(row["value"]) if isinstance(row["value"], tuple) else row["value"]
        shown = f'"{value}"' if isinstance(value, str) else value
        print(f"{f'{key} = {shown}':<40} # {row['meaning']} [{row['from']}]")


def _shown(value: Any, *, secret: bool) -> Any:
    """The value; … for a secret, because printed settings end up in logs and bug reports."""
    return "…" if secret and value else value
