SELECT track_id, uniform_at(track_id, 0) < isMuon_probability AS isMuon
FROM tmp_is_muon_probability
