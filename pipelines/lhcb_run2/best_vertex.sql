{# The primary vertex that photons are taken to come from: the one whose collision has the most tracks, or the
   first of several. #}
{% import 'codes.sql' as codes %}
WITH track_counts AS (
    SELECT m.genevent_id, count(*) AS n
    FROM Tracks AS t
    JOIN MCParticles AS m USING (mcparticle_id)
    GROUP BY m.genevent_id
)
SELECT event_id, vertex_id, x, y, z
FROM (
    SELECT v.event_id, v.vertex_id, v.x, v.y, v.z, max(coalesce(n, 0) * {{ codes.rows_per_event }} + v.event_id - v.vertex_id) AS best
    FROM Vertices AS v
    LEFT JOIN track_counts USING (genevent_id)
    WHERE {{ conditions.calorimeter != 'off' }}
    GROUP BY v.event_id
)
