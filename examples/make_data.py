"""Make the event files of examples/data with Pythia 8: python make_data.py [FOLDER].

Needs pythia8mc and pyhepmc (pip install "sqlamarr-flashsim[examples]"). The same versions give the same bytes.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import pyhepmc
import pythia8mc

# pp at 13 TeV, spread like LHCb's luminous region (RapidSim, config/beam.dat: 0.035 mm and 60 mm).
# Particles of less than 1 m of lifetime decay, as a detector that tracks decay products of K_S and
# Lambda needs it; charged pions and kaons, muons, neutrons and K_L do not.
COMMON = """
Beams:eCM = 13000.
Beams:allowVertexSpread = on
Beams:sigmaVertexX = 0.035
Beams:sigmaVertexY = 0.035
Beams:sigmaVertexZ = 60.
Beams:maxDevVertex = 3.
ParticleDecays:limitTau0 = on
ParticleDecays:tau0Max = 1000.
Random:setSeed = on
Print:quiet = on
"""
BBBAR = "HardQCD:hardbbbar = on\nPhaseSpace:pTHatMin = 2.\nRandom:seed = 1\n"
MINIMUM_BIAS = "SoftQCD:nonDiffractive = on\nRandom:seed = 2\n"
PB_PER_MB = 1e9


def run_info(pythia: pythia8mc.Pythia) -> pyhepmc.GenRunInfo:
    """What is the same for all events of a file."""
    info = pyhepmc.GenRunInfo()
    info.weight_names = ["Default"]
    version = f"{pythia.parm('Pythia:versionNumber'):.3f}"
    info.tools = [pyhepmc.GenRunInfo.ToolInfo("Pythia8", version, "")]
    return info


def generate(settings: str, n: int) -> Iterator[pyhepmc.GenEvent]:
    """``n`` events of Pythia with these settings."""
    pythia = pythia8mc.Pythia("", False)
    for line in (COMMON + settings).splitlines():
        if not pythia.readString(line):
            raise RuntimeError(f"Pythia does not know {line!r}")
    if not pythia.init():
        raise RuntimeError("Pythia does not start")
    made, info = 0, run_info(pythia)
    while made < n:
        if pythia.next():
            event = convert(pythia, made)
            event.run_info = info
            event.weights = [pythia.infoPython().weight()]
            yield event
            made += 1


def convert(pythia: pythia8mc.Pythia, number: int) -> pyhepmc.GenEvent:
    """Pythia's event record as a HepMC event in GeV and mm."""
    record, info = pythia.event, pythia.infoPython()
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.event_number = number
    cross_section = pyhepmc.GenCrossSection()
    cross_section.set_cross_section(
        info.sigmaGen() * PB_PER_MB, info.sigmaErr() * PB_PER_MB, info.nAccepted(), info.nTried()
    )
    event.cross_section = cross_section
    event.attributes["signal_process_id"] = info.code()
    event.attributes["event_scale"] = info.QRen()
    event.attributes["alphaQCD"] = info.alphaS()
    event.attributes["alphaQED"] = info.alphaEM()
    particles = {i: particle(record[i]) for i in range(1, record.size())}
    for beam in (1, 2):
        event.add_particle(particles[beam])
    for i, made in particles.items():
        mothers = [mother for mother in record[i].motherList() if mother > 0]
        if mothers:
            end_vertex(event, [particles[mother] for mother in mothers], record[i]).add_particle_out(made)
    event.set_beam_particles(particles[1], particles[2])
    return event


def particle(entry: pythia8mc.Particle) -> pyhepmc.GenParticle:
    """One line of the record."""
    momentum = (entry.px(), entry.py(), entry.pz(), entry.e())
    made = pyhepmc.GenParticle(momentum, entry.id(), entry.statusHepMC())
    made.generated_mass = entry.m()
    return made


def end_vertex(
    event: pyhepmc.GenEvent, mothers: list[pyhepmc.GenParticle], daughter: pythia8mc.Particle
) -> pyhepmc.GenVertex:
    """The vertex where the mothers end; made where the daughter begins if there is none yet."""
    vertex = next((mother.end_vertex for mother in mothers if mother.end_vertex is not None), None)
    is_new = vertex is None
    if is_new:
        vertex = pyhepmc.GenVertex((daughter.xProd(), daughter.yProd(), daughter.zProd(), daughter.tProd()))
    for mother in mothers:
        if mother.end_vertex is None:
            vertex.add_particle_in(mother)
    if is_new:
        event.add_vertex(vertex)
    return vertex


def write(path: Path, events: list[pyhepmc.GenEvent], format: str) -> None:
    """Events in a compressed file that is the same every time."""
    plain = path.with_suffix("")
    with pyhepmc.open(str(plain), "w", precision=8, format=format) as file:
        for event in events:
            file.write(event)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(plain.read_bytes())
    plain.unlink()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    folder.mkdir(exist_ok=True)
    bbbar = list(generate(BBBAR, 40))
    write(folder / "bbbar.hepmc.gz", bbbar, "HepMC3")
    write(folder / "bbbar.hepmc2.gz", bbbar[:5], "HepMC2")
    write(folder / "minbias.hepmc.gz", list(generate(MINIMUM_BIAS, 10)), "HepMC3")


if __name__ == "__main__":
    main()
