SELECT i.track_id, i.species, i.p, i.eta, i.nTracks, i.charge, m.isMuon
FROM tmp_pid_input AS i JOIN tmp_is_muon AS m USING (track_id)
