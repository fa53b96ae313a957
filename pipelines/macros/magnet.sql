{# The dipole as a single kick in x, with the size and the place of detector.sql: p_x falls by q times the kick with MagUp
   and grows with MagDown, p_y and the length of the momentum stay. What starts after the place where a straight line is
   kicked is not bent.

   Common table expressions on top of `source`, which has x, y, z, tx, ty, px, py, pz and charge: `behind_magnet` has
   those columns of it that `carried` lists, slopes tx_after and ty_after, and the place x_axis, y_axis where the line
   after the magnet, drawn back, meets z = 0. What the kick would turn back is left out. LIMIT -1
   keeps SQLite from evaluating an expression at each of its uses. #}
{% import 'detector.sql' as detector %}
{% macro through_magnet(source, polarity, carried) %}
{% set kick %}
{{ '-' | sql if polarity == 'MagUp' else '' | sql }}{{ detector.magnet_kick }} * CASE WHEN z < {{ detector.magnet_z }} THEN charge ELSE 0 END
{% endset %}
{% set z_kick %}
({{ detector.magnet_z }} + {{ detector.magnet_z_by_bend }} * (tx - tx_after) * (tx - tx_after)
    + {{ detector.magnet_z_by_tx }} * tx * tx + {{ detector.magnet_z_by_ty }} * ty * ty)
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
