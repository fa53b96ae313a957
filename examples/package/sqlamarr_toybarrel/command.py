"""A command: ``sqlamarr toybarrel FILE``. Import what is slow in the function, so that --help stays fast."""

from __future__ import annotations

import click


@click.command("toybarrel")
@click.argument("file", type=click.Path(exists=True))
def command(file: str) -> None:
    """Print the resolution of the barrel in an output FILE."""
    import numpy as np

    import sqlamarr

    with sqlamarr.open(file) as db:
        found = db.arrays(
            "SELECT t.pt, norm2(m.px, m.py, 0) AS true_pt "
            "FROM BarrelTracks AS t JOIN MCParticles AS m USING (mcparticle_id)"
        )
    deviation = found["pt"] / found["true_pt"] - 1
    click.echo(f"{len(deviation)} tracks, resolution {100 * np.median(np.abs(deviation)) / 0.6745:.2f} %")
