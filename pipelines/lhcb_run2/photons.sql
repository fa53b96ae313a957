{# Photons on their straight line to the calorimeter's face, those that hit its active area, and where they convert
   in the material before the magnet: a photon made inside it crosses what is left. Later conversions make one shower at
   the same place. #}
{% import 'codes.sql' as codes %}
{% import 'detector.sql' as detector %}
{% from 'ecal.sql' import at_face, in_active_area %}
{% from 'material.sql' import conversion_probability %}
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
        coalesce(m.pid = {{ codes.pi0 }}, 0) AS from_pi0
    FROM MCParticles AS p
    LEFT JOIN MCVertices AS v ON v.mcvertex_id = p.production_vertex
    LEFT JOIN GenEvents AS g ON g.genevent_id = p.genevent_id
    LEFT JOIN MCParticles AS m ON m.mcparticle_id = p.mother
    WHERE p.pid = {{ codes.photon }} AND p.pz > 0 AND p.end_vertex IS NULL AND {{ conditions.calorimeter != 'off' }}
),
hit AS (
    SELECT *, {{ at_face('x', 'z', 'tx') }} AS x_ecal, {{ at_face('y', 'z', 'ty') }} AS y_ecal
    FROM flying
    WHERE z < {{ detector.ecal_z }}
    LIMIT -1
)
SELECT
    mcparticle_id, event_id, x, y, z, tx, ty, p, from_pi0, x_ecal, y_ecal,
    uniform_at(mcparticle_id, 0) < {{ conversion_probability('z') }} AS converted
FROM hit
WHERE {{ in_active_area('x_ecal', 'y_ecal') }}
