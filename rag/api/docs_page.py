"""GET /docs: the routes on one plain page, made from the OpenAPI description. No script, and nothing from other hosts.

Knows OpenAPI's shape; knows no route.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.1rem } h2 b { display: inline-block; min-width: 4rem }
code, h2 { font-family: ui-monospace, monospace } table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
td, th { border-bottom: 1px solid #8884; padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top }
"""


def manual(description: Mapping[str, Any]) -> HTMLResponse:
    """The page, with its own Content-Security-Policy."""
    schemas = description.get("components", {}).get("schemas", {})
    routes = "".join(
        _route(method, path, operation, schemas)
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    )
    head = f"<title>rag: HTTP API</title><meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
    begin = (
        f"<h1>HTTP API</h1><p>{escape(description['info']['description'])} Version {escape(description['info']['version'])}. "
        "For programs: <a href='/openapi.json'>/openapi.json</a>. Errors have the form "
        "<code>{&quot;error&quot;: {&quot;what&quot;, &quot;remedy&quot;, &quot;code&quot;}}</code>.</p>"
    )
    page = f"<!doctype html><html lang=en>{head}<body><main>{begin}{routes}</main></body></html>"
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


def _route(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    description = escape(operation.get("description", operation.get("summary", "")))
    rows = [*_parameters(operation), *_fields(operation.get("requestBody", {}), schemas)]
    table = f"<table><tr><th>field<th>type<th>meaning</tr>{''.join(rows)}</table>" if rows else ""
    statuses = ", ".join(sorted(operation.get("responses", {})))
    return f"<h2><b>{escape(method.upper())}</b> {escape(path)}</h2><p>{description}</p>{table}<p>Status: {escape(statuses)}</p>"


def _parameters(operation: Mapping[str, Any]) -> Iterator[str]:
    for one in operation.get("parameters", ()):
        yield _row(one["name"], _type(one.get("schema", {})), one.get("description", f"in the {one['in']}"))


def _fields(body: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    for content in body.get("content", {}).values():
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        for field, schema in schemas.get(name, {}).get("properties", {}).items():
            default = f" (default {schema['default']!r})" if schema.get("default") not in (None, "", []) else ""
            yield _row(field, _type(schema), schema.get("description", "") + default)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_type(schema.get('items', {}))}]"
    return str(schema.get("type", "any"))


def _row(name: str, kind: str, meaning: str) -> str:
    return f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{escape(meaning)}</tr>"
