"""An empty Typer app: the rival of `embedinspect --help`."""

import typer

app = typer.Typer()


@app.command()
def main() -> None:
    """Do nothing."""


app()
