{# What the calorimeter finds of the radiated photons, if conditions.brem_recovery asks for it: photons above the
   threshold of clusters that hit the active area, with the resolution measured in Run 2. #}
{% from 'ecal.sql' import at_face, energy_resolution, in_active_area %}
{% import 'detector.sql' as detector %}
WITH hit AS (
    SELECT
        mcparticle_id,
        number,
        energy,
        energy / 1000.0 AS gev,
        {{ at_face('x', 'z', 'px / pz') }} AS x_ecal,
        {{ at_face('y', 'z', 'py / pz') }} AS y_ecal,
        sqrt(px * px + py * py) AS pt
    FROM BremPhotons
    WHERE {{ conditions.brem_recovery }}
),
measured AS (
    SELECT
        mcparticle_id,
        energy * (1.0 + normal_at(mcparticle_id, number)
            * {{ energy_resolution('gev') }}) AS energy
    FROM hit
    WHERE pt > {{ detector.ecal_threshold }} AND {{ in_active_area('x_ecal', 'y_ecal') }}
)
SELECT mcparticle_id, sum(energy) AS energy
FROM measured
WHERE energy > 0
GROUP BY mcparticle_id
