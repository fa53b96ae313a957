{# Bremsstrahlung of electrons. The loss is inside the model's dp: what lies beyond the core of the momentum
   resolution (0.5 % of p, as for hadrons: arXiv:1412.6352) is the energy that was radiated, so that the
   track's momentum and its photons sum to the true momentum within the core.
   Assumptions, no measurement is behind them: one, two or three photons with probabilities 0.5, 0.3, 0.2,
   which share the energy by breaking a stick twice at random; emitted in the material before the
   magnet, along the true line of flight. #}
{% import 'detector.sql' as detector %}
{% from 'material.sql' import drawn_slab, place_in_slab %}
WITH radiated AS (
    SELECT
        t.mcparticle_id,
        t.event_id,
        t.x,
        t.y,
        t.z,
        i.z AS z_origin,
        t.tx,
        t.ty,
        t.p * (1.0 + 0.005 * normal_at(t.mcparticle_id, 0)) - r.p AS energy,
        1 + category_at(t.mcparticle_id, 0, 0.5, 0.3) AS n,
        uniform_at(t.mcparticle_id, 0) AS cut_1,
        uniform_at(t.mcparticle_id, 1) AS cut_2
    FROM tmp_closest_to_beam AS t
    JOIN tmp_reconstructed AS r USING (mcparticle_id)
    JOIN tmp_track_input AS i USING (mcparticle_id)
    WHERE t.is_e
),
photons AS (
    SELECT
        radiated.*,
        number,
        energy * CASE
            WHEN n = 1 THEN 1.0
            WHEN number = 0 THEN cut_1
            WHEN n = 2 THEN 1.0 - cut_1
            WHEN number = 1 THEN (1.0 - cut_1) * cut_2
            ELSE (1.0 - cut_1) * (1.0 - cut_2)
        END AS photon_energy,
        {{ drawn_slab('mcparticle_id', '1 + number') }} AS slab,
        uniform_at(mcparticle_id, 2 + number) AS u
    FROM radiated
    JOIN (SELECT 0 AS number UNION ALL SELECT 1 UNION ALL SELECT 2) ON number < n
    WHERE energy > 0
),
placed AS (
    SELECT *,
        max(z_origin, {{ place_in_slab('slab', 'u', velo_begin='min(z_origin, ' ~ detector.velo_end ~ ')') }}) AS z_emission
    FROM photons
)
SELECT
    mcparticle_id,
    number,
    mcparticle_id AS track_id,
    event_id,
    x + (z_emission - z) * tx AS x,
    y + (z_emission - z) * ty AS y,
    z_emission AS z,
    slopes_to_cartesian(0, photon_energy, tx, ty) AS px,
    slopes_to_cartesian(1, photon_energy, tx, ty) AS py,
    slopes_to_cartesian(2, photon_energy, tx, ty) AS pz,
    photon_energy AS energy
FROM placed
ORDER BY mcparticle_id, number
