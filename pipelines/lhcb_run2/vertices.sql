{# One reconstructed vertex for every place where a collision has a primary vertex: the generator may
   give each beam particle an end vertex of its own at the same place. The true position is smeared,
   and the uncertainty is the width of the Gaussian that was drawn, so that pulls have width 1. #}
WITH truth AS (
    SELECT min(mcvertex_id) AS mcvertex_id, event_id, genevent_id, t, x, y, z
    FROM MCVertices
    WHERE is_primary = 1
    GROUP BY genevent_id, x, y, z
),
smeared AS (
    SELECT
        truth.*,
        {% for axis in ['x', 'y', 'z'] %}
        {{ axis | sql }}_law.mu AS mu_{{ axis | sql }},
        CASE category_at(mcvertex_id, {{ loop.index0 }}, {{ axis | sql }}_law.f1, {{ axis | sql }}_law.f2)
            WHEN 0 THEN {{ axis | sql }}_law.sigma1
            WHEN 1 THEN {{ axis | sql }}_law.sigma2
            ELSE {{ axis | sql }}_law.sigma3
        END AS sigma_{{ axis | sql }}{{ "," | sql if not loop.last else "" | sql }}
        {% endfor %}
    FROM truth
    {% for axis in ['x', 'y', 'z'] %}
    JOIN PrimaryVertexSmearing AS {{ axis | sql }}_law
        ON {{ axis | sql }}_law.axis = {{ loop.index0 }}
        AND {{ axis | sql }}_law.period = {{ conditions.period }}
        AND {{ axis | sql }}_law.polarity = {{ conditions.polarity }}
    {% endfor %}
)
SELECT
    mcvertex_id AS vertex_id,
    event_id,
    genevent_id,
    mcvertex_id,
    t,
    x + mu_x + sigma_x * normal_at(mcvertex_id, 0) AS x,
    y + mu_y + sigma_y * normal_at(mcvertex_id, 1) AS y,
    z + mu_z + sigma_z * normal_at(mcvertex_id, 2) AS z,
    sigma_x,
    sigma_y,
    sigma_z,
    1 AS vertex_type
FROM smeared
