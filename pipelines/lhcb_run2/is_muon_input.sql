{# Upstream tracks do not reach the muon chambers. #}
{% import 'codes.sql' as codes %}
SELECT track_id, p, eta, nTracks, charge, 0 AS unused
FROM tmp_pid_input
WHERE species = {{ species }} AND type <> {{ codes.upstream_track }}
