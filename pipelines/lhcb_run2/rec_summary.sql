{# One number of tracks per event, the occupancy of every model of this event: drawn, and raised where more
   tracks than that were reconstructed here. #}
WITH track_counts AS (
    SELECT
        event_id,
        sum(type = 3) AS n_long,
        sum(type = 4) AS n_upstream,
        sum(type = 5) AS n_downstream,
        count(*) AS n_reconstructed
    FROM Tracks
    GROUP BY event_id
),
vertex_counts AS (
    SELECT event_id, count(*) AS n_vertices FROM Vertices GROUP BY event_id
),
drawn AS (
    SELECT event_id,
        min(max(CAST(round(median * portable_exp(sigma_log * normal_at(event_id, 0))) AS INTEGER), smallest), largest) AS n
    FROM Events
    JOIN Occupancy ON sample = {{ conditions.sample }}
)
SELECT
    event_id,
    coalesce(n_vertices, 0) AS nPVs,
    coalesce(n_long, 0) AS nLongTracks,
    coalesce(n_upstream, 0) AS nUpstreamTracks,
    coalesce(n_downstream, 0) AS nDownstreamTracks,
    max(n, coalesce(n_reconstructed, 0)) AS nTracks
FROM drawn
LEFT JOIN track_counts USING (event_id)
LEFT JOIN vertex_counts USING (event_id)
