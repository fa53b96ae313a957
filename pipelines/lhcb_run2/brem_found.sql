{# What the calorimeter finds of the radiated photons, if conditions.brem_recovery asks for it: photons above
   50 MeV of transverse energy that hit the active area at z = 12490 mm (half sizes 3878.4 x 3151.2 mm, hole
   323.2 x 323.2 mm; LHCb's calorimeter design report), with the resolution measured in Run 2, 9.6 %/sqrt(E)
   + 3.7 % + 0.395 GeV / E in quadrature (arXiv:2008.11556). #}
WITH hit AS (
    SELECT
        mcparticle_id,
        number,
        energy,
        energy / 1000.0 AS gev,
        abs(x + (12490.0 - z) * px / pz) AS x_ecal,
        abs(y + (12490.0 - z) * py / pz) AS y_ecal,
        sqrt(px * px + py * py) AS pt
    FROM BremPhotons
    WHERE {{ conditions.brem_recovery }}
),
measured AS (
    SELECT
        mcparticle_id,
        energy * (1.0 + normal_at(mcparticle_id, number)
            * sqrt(0.096 * 0.096 / gev + 0.037 * 0.037 + 0.395 * 0.395 / (gev * gev))) AS energy
    FROM hit
    WHERE pt > 50
        AND x_ecal < 3878.4
        AND y_ecal < 3151.2
        AND (x_ecal > 323.2 OR y_ecal > 323.2)
)
SELECT mcparticle_id, sum(energy) AS energy
FROM measured
WHERE energy > 0
GROUP BY mcparticle_id
