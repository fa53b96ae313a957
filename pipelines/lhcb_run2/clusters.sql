{# Clusters with the momentum that a photon from the best primary vertex would have, or from (0, 0, 0) without a vertex.
   `source`: event, the event model; or signal, where a cluster has its photon's id. #}
{% import 'codes.sql' as codes %}
{% import 'detector.sql' as detector %}
{% from 'ecal.sql' import energy_resolution, position_variance, region_at %}
WITH measured AS (
    {% if source == 'event' %}
    SELECT
        cluster_id, event_id, type, event_id + nullif(parent, -1) AS merged_id, x, y, energy,
        PhotonID, IsNotE, IsNotH
    FROM tmp_clusters
    {% else %}
    SELECT
        p.mcparticle_id AS cluster_id, p.event_id, CASE c.class WHEN 1 THEN {{ codes.photon_cluster }} ELSE {{ codes.split_cluster }} END AS type, NULL AS merged_id,
        p.x_ecal + r.dx AS x, p.y_ecal + r.dy AS y, max(p.p * (1.0 + r.dE), 1.0) AS energy,
        r.PhotonID, r.IsNotE, r.IsNotH
    FROM tmp_photon_resolution AS r
    JOIN tmp_photon_class AS c USING (mcparticle_id)
    JOIN tmp_photons AS p USING (mcparticle_id)
    {% endif %}
),
pointing AS (
    SELECT
        m.*, max(m.energy, 1.0) / 1000.0 AS gev, {{ region_at('m.x', 'm.y') }} AS region,
        v.vertex_id, {{ detector.ecal_z }} - coalesce(v.z, 0.0) AS dz, m.x - coalesce(v.x, 0.0) AS dx, m.y - coalesce(v.y, 0.0) AS dy
    FROM measured AS m
    LEFT JOIN tmp_best_vertex AS v USING (event_id)
    LIMIT -1 {# here and below: evaluates every expression once, not once per use #}
),
momentum AS (
    SELECT
        *,
        energy / norm2(dx, dy, dz) AS scale,
        {{ position_variance('region', 'gev', 'type') }} AS variance,
        energy * {{ energy_resolution('gev') }} AS sigma_energy
    FROM pointing
    LIMIT -1
)
SELECT
    cluster_id, event_id, type, merged_id, region, x, y, {{ detector.ecal_z }} AS z, energy,
    variance AS cov00,
    variance AS cov11,
    sigma_energy * sigma_energy AS cov22,
    PhotonID, IsNotE, IsNotH, vertex_id,
    scale * dx AS px,
    scale * dy AS py,
    scale * dz AS pz,
    scale * norm2(dx, dy, 0.0) AS pt,
    pseudorapidity(dx, dy, dz) AS eta,
    azimuthal(dx, dy, dz) AS phi
FROM momentum
