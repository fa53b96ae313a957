{# Electrons and positrons at the calorimeter's face: generated ones, with the momentum that their radiated photons left
   them (part 0), and the pairs of converted photons (parts 1 and 2). A pair starts where its photon converts; one
   takes a part of the energy that is flat from 0 to 1, the other the rest. #}
{% from 'material.sql' import drawn_slab, place_in_slab %}
{% from 'magnet.sql' import through_magnet %}
{% from 'ecal.sql' import in_active_area %}
{% import 'detector.sql' as detector %}
WITH conversion AS MATERIALIZED (
    SELECT
        *,
        max(z, {{ place_in_slab(drawn_slab('mcparticle_id', '0'), 'uniform_at(mcparticle_id, 0)') }}) AS z_pair,
        uniform_at(mcparticle_id, 1) AS share
    FROM tmp_photons
    WHERE converted AND {{ conditions.calorimeter == 'event' }}
),
started AS (
    SELECT
        c.mcparticle_id, part, c.event_id, c.x + (z_pair - c.z) * c.tx AS x, c.y + (z_pair - c.z) * c.ty AS y, z_pair AS z,
        c.tx, c.ty, c.p * CASE part WHEN 1 THEN share ELSE 1.0 - share END AS p, CASE part WHEN 1 THEN -1 ELSE 1 END AS charge
    FROM conversion AS c
    JOIN (SELECT 1 AS part UNION ALL SELECT 2)
    UNION ALL
    SELECT
        e.mcparticle_id, 0, e.event_id, e.x, e.y, e.z, e.tx, e.ty,
        e.p - coalesce((SELECT sum(b.energy) FROM BremPhotons AS b WHERE b.mcparticle_id = e.mcparticle_id), 0.0), e.charge
    FROM tmp_track_input AS e
    WHERE e.is_e AND e.z < {{ detector.ecal_z }} AND {{ conditions.calorimeter == 'event' }}
),
moving AS (
    SELECT
        *,
        slopes_to_cartesian(0, p, tx, ty) AS px,
        slopes_to_cartesian(1, p, tx, ty) AS py,
        slopes_to_cartesian(2, p, tx, ty) AS pz
    FROM started
    WHERE p > 0
),
{{ through_magnet('moving', conditions.polarity, ['mcparticle_id', 'part', 'event_id', 'p', 'x', 'y', 'z']) }},
hit AS MATERIALIZED (
    SELECT *, x_axis + {{ detector.ecal_z }} * tx_after AS x_ecal, y_axis + {{ detector.ecal_z }} * ty_after AS y_ecal FROM behind_magnet
)
SELECT mcparticle_id, part, event_id, x_ecal, y_ecal, p, tx_after AS tx, ty_after AS ty, x, y, z
FROM hit
WHERE {{ in_active_area('x_ecal', 'y_ecal') }}
