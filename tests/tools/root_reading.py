"""Read exported files with ROOT itself: run by test_export_with_root.py in a process of its own.

``root_reading.py trees FILE`` prints sums of a file of trees, ``root_reading.py edm4hep FILE FOLDER`` those of an
EDM4hep file, read as podio's RNTupleReader does, into classes of the data model that are compiled in FOLDER.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

_CPP = {"float32": "float", "float64": "double", "string": "std::string", "bool": "bool"}


def header() -> str:
    """The classes of the model in C++, with what ROOT needs to know of them."""
    from sqlamarr.exporters.edm4hep.model import CLASSES

    lines = ["#pragma once", "#include <array>", "#include <cstdint>", "#include <string>", "#include <vector>"]
    links = []
    for name, members in CLASSES.items():
        space, _, own = name.rpartition("::")
        body = " ".join(f"{_cpp(kind)} {member}{{}};" for member, kind in members.items())
        lines.append(f"namespace {space} {{ struct {own} {{ {body} }}; }}")
        links += [f"#pragma link C++ class {name}+;", f"#pragma link C++ class std::vector<{name}>+;"]
    return "\n".join([*lines, "#ifdef __CLING__", *links, "#endif", ""])


def _cpp(kind: str) -> str:
    dtype, bracket, size = kind.rstrip("]").partition("[")
    if bracket:
        return f"std::array<{_cpp(dtype)}, {size}>"
    return kind if "::" in kind else _CPP.get(kind, f"std::{kind}_t")


READER = """
#include "edm.h"
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleReader.hxx>
#include <cmath>
#include <cstdio>

template <class T> double total(const std::vector<T> &objects, double (*value)(const T &)) {
  double sum = 0;
  for (const auto &object : objects) if (!std::isnan(value(object))) sum += value(object);
  return sum;
}

void read_edm4hep(const char *file) {
  auto meta = ROOT::RNTupleReader::Open("podio_metadata", file);
  auto version = meta->GetView<std::vector<std::uint16_t>>("edm4hep___Version")(0);
  auto podio = meta->GetView<std::vector<std::uint16_t>>("PodioBuildVersion")(0);
  auto models = meta->GetView<std::vector<std::tuple<std::string, std::string>>>("EDMDefinitions")(0);
  auto categories = meta->GetView<std::vector<std::string>>("availableCategories")(0);
  auto infos = meta->GetView<std::vector<podio::root_utils::CollectionWriteInfo>>("events___CollectionTypeInfo")(0);
  std::printf("{\\"version\\": [%d, %d, %d], \\"podio\\": %zu, \\"model\\": \\"%s\\", \\"categories\\": %zu, ",
              version[0], version[1], version[2], podio.size(), std::get<0>(models[0]).c_str(), categories.size());
  std::printf("\\"collections\\": {");
  for (std::size_t i = 0; i < infos.size(); ++i)
    std::printf("%s\\"%s\\": [%u, \\"%s\\", %u]", i ? ", " : "", infos[i].name.c_str(), infos[i].collectionID,
                infos[i].dataType.c_str(), infos[i].schemaVersion);
  auto about = ROOT::RNTupleReader::Open("metadata", file);
  auto keys = about->GetView<std::vector<std::string>>("GPStringKeys")(0);
  auto values = about->GetView<std::vector<std::vector<std::string>>>("GPStringValues")(0);
  auto doubles = about->GetView<std::vector<std::vector<double>>>("GPDoubleValues")(0);
  std::printf("}, \\"parameters\\": %zu, \\"first\\": \\"%s\\", \\"field\\": %g, ", keys.size(), values[0][0].c_str(),
              doubles[0][0]);

  auto reader = ROOT::RNTupleReader::Open("events", file);
  double energy = 0, weight = 0, d0 = 0, covariance = 0, daughters = 0, links = 0, likelihood = 0;
  std::size_t tracks = 0, parameters = 0;
  for (auto i : reader->GetEntryRange()) {
    auto entry = reader->GetModel().CreateEntry();
    std::vector<edm4hep::EventHeaderData> headers;
    std::vector<edm4hep::MCParticleData> mc;
    std::vector<edm4hep::TrackData> track;
    std::vector<edm4hep::TrackState> states;
    std::vector<edm4hep::ReconstructedParticleData> reco;
    std::vector<edm4hep::ParticleIDData> pid;
    std::vector<edm4hep::VertexData> vertices;
    std::vector<podio::ObjectID> to, daughter;
    std::vector<podio::LinkData> link;
    entry->BindRawPtr("EventHeader", (void *)&headers);
    entry->BindRawPtr("MCParticles", (void *)&mc);
    entry->BindRawPtr("_MCParticles_daughters", (void *)&daughter);
    entry->BindRawPtr("Tracks", (void *)&track);
    entry->BindRawPtr("_Tracks_trackStates", (void *)&states);
    entry->BindRawPtr("ReconstructedParticles", (void *)&reco);
    entry->BindRawPtr("ParticleIDs", (void *)&pid);
    entry->BindRawPtr("PrimaryVertices", (void *)&vertices);
    entry->BindRawPtr("TrackMCParticleLinks", (void *)&link);
    entry->BindRawPtr("_TrackMCParticleLinks_to", (void *)&to);
    reader->LoadEntry(i, *entry);
    weight += headers.at(0).weight;
    energy += total<edm4hep::ReconstructedParticleData>(reco, [](const auto &p) { return (double)p.energy; });
    likelihood += total<edm4hep::ParticleIDData>(pid, [](const auto &p) { return (double)p.likelihood; });
    for (const auto &t : track)
      for (auto s = t.trackStates_begin; s < t.trackStates_end; ++s) {
        d0 += states.at(s).location == 1 ? states[s].D0 : 0;
        if (!std::isnan(states[s].covMatrix.values[0])) covariance += states[s].covMatrix.values[0];
      }
    for (const auto &p : mc) {
      for (auto d = p.daughters_begin; d < p.daughters_end; ++d) daughters += mc.at(daughter.at(d).index).PDG;
    }
    for (const auto &id : to) links += mc.at(id.index).PDG;
    tracks += track.size();
    parameters += reader->GetView<std::vector<std::string>>("GPIntKeys")(i).size();
  }
  std::printf("\\"entries\\": %llu, \\"weight\\": %g, \\"energy\\": %.9g, \\"d0\\": %.9g, \\"covariance\\": %.9g, "
              "\\"daughters\\": %.9g, \\"links\\": %.9g, \\"likelihood\\": %.9g, \\"tracks\\": %zu, \\"GP\\": %zu}\\n",
              (unsigned long long)reader->GetNEntries(), weight, energy, d0, covariance, daughters, links, likelihood,
              tracks, parameters);
  std::fflush(stdout);
}
"""


def main() -> None:
    import ROOT

    what, path = sys.argv[1:3]
    if what == "edm4hep":
        os.chdir(sys.argv[3])
        Path("edm.h").write_text(header())
        Path("edm.C").write_text('#include "edm.h"\n')
        Path("reader.C").write_text(READER)
        for source in ("edm.C", "reader.C"):
            if not ROOT.gSystem.CompileMacro(source, "kgs"):
                sys.exit(f"{source} did not compile")
        ROOT.read_edm4hep(path)
    else:
        tracks = ROOT.RDataFrame("Tracks", path)
        events = ROOT.RDataFrame("EventTree", path).Define("top", "Tracks_p.size() ? Max(Tracks_p) : 0.0")
        states = ROOT.RDataFrame("TrackStates", path)
        is_text = "string" in str(states.GetColumnType("location"))
        text = "location" if is_text else "std::string(location.data())"
        file = ROOT.TFile.Open(path)
        found = {
            "p": tracks.Sum("p").GetValue(),
            "weight": tracks.Sum("eventWeight").GetValue(),
            "long": tracks.Filter("type == 3").Count().GetValue(),
            "top": events.Sum("top").GetValue(),
            "entries": events.Count().GetValue(),
            "end": states.Filter(f'{text} == "EndT"').Count().GetValue(),
            "seed": str(file.Get("Provenance/seed").GetString()),
        }
        if not is_text:
            found["title"] = str(file.Get("EventTree").GetBranch("Tracks_p").GetTitle())
        print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # ROOT's own clean-up on the way out may crash


if __name__ == "__main__":
    main()
