"""``flask route-handlers export``: the static URLs of an app as files."""

from __future__ import annotations

import click
from flask.cli import ScriptInfo, pass_script_info

from ...errors import printable
from ..common import counted, load, threads_option
from ..rendering import in_threads, render
from .engine import check_folder, find_differences, find_exported
from .engine import export as export_to


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--check", is_flag=True, help="Write nothing. List how DIR differs.")
@click.option(
    "--without-middleware",
    is_flag=True,
    help="Export routes with middleware too. A static host runs none.",
)
@threads_option
@pass_script_info
@click.pass_context
def export(
    context: click.Context,
    info: ScriptInfo,
    folder: str,
    check: bool,
    without_middleware: bool,
    threads: int,
) -> None:
    """Write every static GET into the folder DIR, for a static host.

    DIR is replaced as a whole, or left as it is. It must be new, empty or an earlier export, and
    outside of the tree. Its manifest.json lists each URL with its file, status and headers.

    The exit status is 0 if all was exported, 1 if --check finds a difference, and 2 if something
    cannot be exported.
    """
    app = load(info)
    path = check_folder(app, folder)
    urls = find_exported(app, without_middleware=without_middleware)
    rendered = in_threads(render, urls, threads, "Rendering")
    if check:
        differences = find_differences(path, urls, rendered)
        for line in differences:
            click.echo(printable(line))
        context.exit(int(bool(differences)))
    items = export_to(path, urls, rendered)
    files = sum(item.file is not None for item in items)
    click.echo(f"Exported {counted(len(items), 'URL')} to {folder}, {files} of them as files.")
