{# One number of tracks per event, used as occupancy by all models: drawn, and raised if more tracks than that
   were reconstructed here. #}
{% import 'codes.sql' as codes %}
WITH counted AS (
    SELECT
        event_id,
        count(*) FILTER (WHERE type = {{ codes.long_track }}) AS n_long,
        count(*) FILTER (WHERE type = {{ codes.upstream_track }}) AS n_upstream,
        count(*) FILTER (WHERE type = {{ codes.downstream_track }}) AS n_downstream,
        count(type) AS n_reconstructed
    FROM Events
    LEFT JOIN Tracks USING (event_id)
    GROUP BY event_id
)
SELECT
    event_id,
    (SELECT count(*) FROM Vertices AS v WHERE v.event_id = counted.event_id) AS nPVs,
    n_long AS nLongTracks,
    n_upstream AS nUpstreamTracks,
    n_downstream AS nDownstreamTracks,
    max(
        min(max(CAST(round(median * portable_exp(sigma_log * normal_at(event_id, 0))) AS INTEGER), smallest), largest),
        n_reconstructed
    ) AS nTracks
FROM counted
JOIN Occupancy ON sample = {{ conditions.sample }}
