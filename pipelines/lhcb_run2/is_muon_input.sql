{# Upstream tracks do not reach the muon chambers. #}
{% import 'codes.sql' as codes %}
SELECT track_id, species, p, eta, nTracks, charge, 0 AS unused
FROM tmp_pid_input
WHERE type <> {{ codes.upstream_track }}
