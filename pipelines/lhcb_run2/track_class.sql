{# LHCb's codes of the track classes; particles that are not reconstructed are left out. #}
WITH drawn AS (
    SELECT mcparticle_id, category_at(mcparticle_id, 0, not_reconstructed, long, upstream) AS category
    FROM tmp_efficiency
)
SELECT mcparticle_id, CASE category WHEN 1 THEN 3 WHEN 2 THEN 4 ELSE 5 END AS type
FROM drawn
WHERE category > 0
