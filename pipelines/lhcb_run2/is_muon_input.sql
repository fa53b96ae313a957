{# Upstream tracks do not reach the muon chambers. #}
SELECT track_id, species, p, eta, nTracks, charge, 0 AS unused
FROM tmp_pid_input
WHERE type <> 4
