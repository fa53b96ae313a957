-- Two decay products each: sqrt(E^2 - p^2), in GeV/c2.
WITH sums AS (
    SELECT event_id,
        sum((pid != 111) * pe) AS e1, sum((pid != 111) * px) AS x1, sum((pid != 111) * py) AS y1, sum((pid != 111) * pz) AS z1,
        sum((pid != -211) * pe) AS e2, sum((pid != -211) * px) AS x2, sum((pid != -211) * py) AS y2, sum((pid != -211) * pz) AS z2
    FROM MCParticles
    WHERE pid IN (211, -211, 111)
    GROUP BY event_id
)
SELECT event_id,
    sqrt(max(e1 * e1 - x1 * x1 - y1 * y1 - z1 * z1, 0)) / 1000 AS m_plus_minus,
    sqrt(max(e2 * e2 - x2 * x2 - y2 * y2 - z2 * z2, 0)) / 1000 AS m_plus_neutral
FROM sums
