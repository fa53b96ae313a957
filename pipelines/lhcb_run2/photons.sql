{# Photons on their straight line to the calorimeter's face, those that hit its active area, and where they convert
   in the material before the magnet. That is 27 % of a radiation length: of it 60 % in the vertex detector
   (up to z = 770 mm), 20 % in RICH1 (990-2165 mm) and 20 % in TT (2485-2700 mm), as for the radiation of electrons;
   a photon made inside it crosses what is left. The sum is an assumption: about 20 % of the photons of LHCb convert
   before the magnet. A photon converts with probability 1 - exp(-7/9 of the thickness). Later conversions make one
   shower at the same place. #}
{% from 'ecal.sql' import in_active_area %}
WITH flying AS (
    SELECT
        p.mcparticle_id,
        p.event_id,
        coalesce(v.x, g.x, 0.0) AS x,
        coalesce(v.y, g.y, 0.0) AS y,
        coalesce(v.z, g.z, 0.0) AS z,
        p.px / p.pz AS tx,
        p.py / p.pz AS ty,
        norm2(p.px, p.py, p.pz) AS p,
        coalesce(m.pid = 111, 0) AS from_pi0
    FROM MCParticles AS p
    LEFT JOIN MCVertices AS v ON v.mcvertex_id = p.production_vertex
    LEFT JOIN GenEvents AS g ON g.genevent_id = p.genevent_id
    LEFT JOIN MCParticles AS m ON m.mcparticle_id = p.mother
    WHERE p.pid = 22 AND p.pz > 0 AND p.end_vertex IS NULL AND {{ conditions.calorimeter != 'off' }}
),
hit AS (
    SELECT *, x + (12490.0 - z) * tx AS x_ecal, y + (12490.0 - z) * ty AS y_ecal FROM flying WHERE z < 12490 LIMIT -1
)
SELECT
    mcparticle_id, event_id, x, y, z, tx, ty, p, from_pi0, x_ecal, y_ecal,
    uniform_at(mcparticle_id, 0) < 1.0 - portable_exp(-7.0 / 9.0 * 0.27 * (
        0.6 * min(max((770.0 - z) / 770.0, 0.0), 1.0)
        + 0.2 * min(max((2165.0 - z) / (2165.0 - 990.0), 0.0), 1.0)
        + 0.2 * min(max((2700.0 - z) / (2700.0 - 2485.0), 0.0), 1.0))) AS converted
FROM hit
WHERE {{ in_active_area('x_ecal', 'y_ecal') }}
