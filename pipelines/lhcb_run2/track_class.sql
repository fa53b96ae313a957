{# LHCb's codes of the track classes; particles that are not reconstructed are left out. #}
{% import 'codes.sql' as codes %}
WITH drawn AS (
    SELECT mcparticle_id, category_at(mcparticle_id, 0, not_reconstructed, long, upstream) AS category
    FROM tmp_efficiency
)
SELECT mcparticle_id, CASE category WHEN 1 THEN {{ codes.long_track }} WHEN 2 THEN {{ codes.upstream_track }} ELSE {{ codes.downstream_track }} END AS type
FROM drawn
WHERE category > 0
