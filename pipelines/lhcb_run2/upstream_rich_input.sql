{% import 'codes.sql' as codes %}
SELECT track_id, species, p, eta, nTracks, charge, 1 AS upstream
FROM tmp_pid_input
WHERE type = {{ codes.upstream_track }}
