SELECT
    m.mcparticle_id,
    m.event_id,
    norm2(m.px, m.py, 0) AS pt,
    pseudorapidity(m.px, m.py, m.pz) AS eta
FROM MCParticles AS m
WHERE (SELECT count(*) FROM BarrelHits AS h WHERE h.mcparticle_id = m.mcparticle_id) >= 3
ORDER BY m.mcparticle_id
