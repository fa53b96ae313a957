{# The dipole as a single kick in x: p_x changes by -q * 1230 MeV (MagUp; +q * 1230 MeV for MagDown),
   p_y and the length of the momentum stay (CERN-THESIS-2024-108, eq. 4.2). The kick happens at
   z = 5212.38 + 406.609 (change of slope)^2 - 1102.35 tx^2 - 498.039 ty^2 mm (LHCb's PrGeometryTool); what starts
   behind that place of a straight line is not bent.

   Common table expressions on top of `source`, which has x, y, z, tx, ty, px, py, pz and charge: `behind_magnet` has
   those columns of it that `carried` lists, slopes tx_after and ty_after, and the place x_axis, y_axis where the line
   behind the magnet, drawn back, meets z = 0. What the kick would turn back is left out. LIMIT -1
   keeps SQLite from evaluating an expression at each of its uses. #}
{% macro through_magnet(source, polarity, carried) %}
{% set kick %}
{{ -1230.0 if polarity == 'MagUp' else 1230.0 }} * CASE WHEN z < 5212.38 THEN charge ELSE 0 END
{% endset %}
{% set z_kick %}
(5212.38 + 406.609 * (tx - tx_after) * (tx - tx_after) - 1102.35 * tx * tx - 498.039 * ty * ty)
{% endset %}
kicked AS (
    SELECT
        {% for column in carried %}
        {{ column | identifier }},
        {% endfor %}
        x - z * tx AS x_before,
        y - z * ty AS y_before,
        tx,
        ty,
        kicked_slope(0, px, py, pz, {{ kick | sql }}) AS tx_after,
        kicked_slope(1, px, py, pz, {{ kick | sql }}) AS ty_after
    FROM {{ source | identifier }}
    LIMIT -1
),
behind_magnet AS (
    SELECT
        {% for column in carried %}
        {{ column | identifier }},
        {% endfor %}
        tx_after,
        ty_after,
        x_before + {{ z_kick | sql }} * (tx - tx_after) AS x_axis,
        y_before + {{ z_kick | sql }} * (ty - ty_after) AS y_axis
    FROM kicked
    WHERE tx_after IS NOT NULL
    LIMIT -1
)
{% endmacro %}
