{# One reconstructed vertex for every place where a collision has a primary vertex: the generator may
   give each beam particle an end vertex of its own at the same place. The true position is smeared,
   and the uncertainty is the width of the Gaussian that was drawn, so that pulls have width 1. #}
{% set axes = [['x', 0], ['y', 1], ['z', 2]] %}
WITH truth AS (
    SELECT min(mcvertex_id) AS mcvertex_id, event_id, genevent_id, t, x, y, z
    FROM MCVertices
    WHERE is_primary = 1
    GROUP BY genevent_id, x, y, z
),
law AS MATERIALIZED ( -- the three axes' in one row
    SELECT
        {% for axis, number in axes %}
        {% for name in ['mu', 'f1', 'f2', 'sigma1', 'sigma2', 'sigma3'] %}
        max({{ name | sql }}) FILTER (WHERE axis = {{ number }}) AS {{ name | sql }}_{{ axis | sql }},
        {% endfor %}
        {% endfor %}
        count(*) AS n
    FROM PrimaryVertexSmearing
    WHERE period = {{ conditions.period }} AND polarity = {{ conditions.polarity }}
),
smeared AS (
    SELECT
        truth.*,
        {% for axis, number in axes %}
        mu_{{ axis | sql }},
        CASE category_at(mcvertex_id, {{ number }}, f1_{{ axis | sql }}, f2_{{ axis | sql }})
            WHEN 0 THEN sigma1_{{ axis | sql }}
            WHEN 1 THEN sigma2_{{ axis | sql }}
            ELSE sigma3_{{ axis | sql }}
        END AS sigma_{{ axis | sql }}{{ "," | sql if not loop.last else "" | sql }}
        {% endfor %}
    FROM truth CROSS JOIN law
    LIMIT -1 {# evaluates every expression once, not once per use #}
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
