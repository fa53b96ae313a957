{% import 'codes.sql' as codes %}
SELECT track_id, p, eta, nTracks, charge, 1 AS upstream
FROM tmp_pid_input
WHERE species = {{ species }} AND type = {{ codes.upstream_track }}
